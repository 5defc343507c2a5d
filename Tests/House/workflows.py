#!/usr/bin/env python3
"""Checks the workflows of the forge and the devcontainer.

They know nothing that `make` does not: a step of a workflow calls a target of the Makefile, or an action. The checks of a
change run each target that .ci/run does. A job has its own permissions and a time limit, and a foreign action is named by
its commit. All containers are the same image, with the Swift that packaging/toolchain installs.
"""

import json
import re
import sys

import yaml

from tree import ROOT, files, text

CHECKS = ".github/workflows/ci.yml"
DEVCONTAINER = ".devcontainer/devcontainer.json"
TARGET = re.compile(r"^([a-z][a-z-]*):", re.M)
CALL = re.compile(r"make ([a-z-]+)\s*")
PINNED = re.compile(r"uses: [\w-]+/[\w./-]+@[0-9a-f]{40}  # v\d+(\.\d+)*$")


def steps_of(job):
    return job.get("steps", [])


def images():
    """The image of each container, with the place that names it."""
    for name in files(".github/workflows/*.yml"):
        for job, content in yaml.safe_load(text(name))["jobs"].items():
            container = content.get("container")
            if container:
                yield f"{name}: {job}", container if isinstance(container, str) else container["image"]
    lines = [line for line in text(DEVCONTAINER).splitlines() if not line.lstrip().startswith("//")]
    yield DEVCONTAINER, json.loads("\n".join(lines))["image"]


def action_faults(name):
    for line in text(name).splitlines():
        use = re.match(r"[\s-]*(uses: (\S+).*)", line)
        if not use:
            continue
        if use[2].startswith("./"):
            place = ROOT / use[2]
            if not place.is_file() and not (place / "action.yml").is_file():
                yield f"{name} uses {use[2]}, which does not exist"
        elif not PINNED.match(use[1]):
            yield f"{name} uses {use[2]}, but not by a commit with its version behind it"


def job_faults(where, job, jobs, targets):
    for need in [job["needs"]] if isinstance(job.get("needs"), str) else job.get("needs", []):
        if need not in jobs:
            yield f"{where} needs {need}, which is no job"
    if "permissions" not in job:
        yield f"{where} has no permissions of its own"
    if "timeout-minutes" not in job and "uses" not in job:
        yield f"{where} has no timeout-minutes"
    for step in steps_of(job):
        call = CALL.fullmatch(step.get("run", "make help"))
        if not call:
            yield f"{where} runs more than a target of the Makefile: {step['run'].strip()}"
        elif call[1] not in targets:
            yield f"{where} runs make {call[1]}, which is no target"


def workflow_faults(name, targets):
    workflow = yaml.safe_load(text(name))
    if workflow.get("permissions") != {}:
        yield f"{name} gives permissions to all of its jobs"
    if "concurrency" not in workflow:
        yield f"{name} has no concurrency"
    for job, content in workflow["jobs"].items():
        yield from job_faults(f"{name}: {job}", content, workflow["jobs"], targets)


def unchecked():
    """The targets that .ci/run runs and the checks of a change do not."""
    wanted = set(re.findall(r"^[^#\n]*\bmake ([a-z-]+)", text(".ci/run"), re.M))
    if not wanted:
        yield ".ci/run calls no target: this check is broken"
    runs = [step.get("run", "") for job in yaml.safe_load(text(CHECKS))["jobs"].values() for step in steps_of(job)]
    for target in sorted(wanted - {call[1] for call in map(CALL.fullmatch, runs) if call}):
        yield f"{CHECKS} does not run make {target}, as .ci/run does"


def faults():
    targets = set(TARGET.findall(text("Makefile")))
    workflows = files(".github/workflows/*.yml")
    for name in workflows:
        yield from workflow_faults(name, targets)
    for name in workflows + files(".github/actions/*.yml"):
        yield from action_faults(name)
    yield from unchecked()
    version = re.search(r"SWIFT_VERSION:-([\d.]+)", text("packaging/toolchain"))[1]
    named = [("packaging/toolchain", f"swift:{version}-bookworm"), *images()]
    for place, image in named:
        if image != named[0][1]:
            yield f"{place} has the image {image}, but {named[0][0]} has {named[0][1]}"


def main():
    found = list(faults())
    print("\n".join(found) or f"{len(files('.github/workflows/*.yml'))} workflows, which run targets of the Makefile alone")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
