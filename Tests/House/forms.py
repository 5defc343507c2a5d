#!/usr/bin/env python3
"""Checks the forms for issues: a forge shows a form with a fault in it to nobody, and says so nowhere."""

import pathlib
import re
import sys

import yaml

from tree import files, text

FOLDER = ".github/ISSUE_TEMPLATE"
CHOICES = f"{FOLDER}/config.yml"
#: The elements of a form, with the attribute that each must have.
ELEMENTS = {"markdown": "value", "textarea": "label", "input": "label", "dropdown": "options", "checkboxes": "options"}
#: What somebody who has to find a fault needs from a report.
ASKED = ["dokku-daemon --check", "dokku-daemon --version", "journalctl", "secret"]


def element_faults(where, element):
    kind = element.get("type")
    if kind not in ELEMENTS:
        yield f"{where} has an element of the unknown type {kind}"
        return
    attributes = element.get("attributes", {})
    for needed in {ELEMENTS[kind]} | ({"label"} if kind != "markdown" else set()):
        if not attributes.get(needed):
            yield f"{where}: {element.get('id', kind)} has no {needed}"
    if kind == "markdown":
        if "validations" in element:
            yield f"{where} validates a text that nobody can fill in"
    elif not re.fullmatch(r"[\w-]+", element.get("id", "")):
        yield f"{where} has an element without an id: {attributes.get('label')}"
    choices = attributes.get("options", [])
    if kind == "dropdown" and not all(isinstance(choice, str) for choice in choices):
        yield f"{where}: {element.get('id')} has a choice that is no text"
    if kind == "checkboxes" and not all("label" in choice for choice in choices):
        yield f"{where}: {element.get('id')} has a box without a label"


def form_faults(name):
    form = yaml.safe_load(text(name))
    for key in ("name", "description", "body"):
        if not form.get(key):
            yield f"{name} has no {key}"
    body = form.get("body") or []
    for element in body:
        yield from element_faults(name, element)
    for key in ("id", "label"):
        values = [each.get(key) or each.get("attributes", {}).get(key) for each in body]
        for value in {value for value in values if value and values.count(value) > 1}:
            yield f"{name} has the {key} {value} twice"


def choice_faults():
    for link in yaml.safe_load(text(CHOICES)).get("contact_links", []):
        if set(link) != {"name", "url", "about"} or not link["url"].startswith("https://"):
            yield f"{CHOICES}: the link {link.get('name')} needs a name, an https url and an about"


def main():
    forms = [name for name in files(f"{FOLDER}/*.yml") if name != CHOICES]
    found = [fault for name in forms for fault in form_faults(name)]
    found += choice_faults()
    found += [f"bug.yml does not ask for {what}" for what in ASKED if what not in text(f"{FOLDER}/bug.yml")]
    print("\n".join(found) or "Forms: " + ", ".join(sorted(pathlib.Path(name).stem for name in forms)))
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
