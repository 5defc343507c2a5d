# The project's commands; `make` alone lists them. A recipe of more than a few lines is a script in packaging/ or Tests/.
PREFIX ?= /usr
DESTDIR ?=
export PREFIX DESTDIR

.DEFAULT_GOAL := help
.PHONY: help deps build demo run test test-debug model faults fuzz kill load sanitize lint format bench picture install develop \
	uninstall deb lint-deb toolchain release check-release publish test-systemd test-releases lab clean clean-lab

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

deps: ## install all missing packages that these targets need (apt)
	@packaging/deps build demo model test lint deb lint-deb

toolchain: ## install Swift from swift.org into /opt/swift, if its signature is right
	@packaging/deps toolchain
	@packaging/toolchain

build: ## build .build/release/dokku-daemon and .build/release/dokku-client
	@packaging/with-swift true
	@packaging/deps build
	@packaging/build

demo: build ## show a conversation with the daemon, with a stand-in for dokku
	@packaging/deps demo
	@packaging/demo

run: build ## serve in the foreground, with the host's dokku if there is one
	@packaging/serve

test-debug: build ## run the suites, those of the whole programs as well, with the debug build, which checks more
	@packaging/deps build demo model faults test
	@Tests/all debug

test: build ## run all tests, those of the whole programs with the release build and in full size
	@packaging/deps build demo model faults test
	@Tests/all

model: build ## test random conversations with the daemon against a model, for SECONDS=120
	@packaging/deps model
	@Tests/Model/run --seconds $(or $(SECONDS),120)

faults: build ## make each system call of the daemon fail once, and check that no other client suffers
	@packaging/deps faults
	@Tests/Faults/run .build/release/dokku-daemon

kill: build ## KILL the daemon at random moments while clients submit detached jobs, KILLS=1000 times
	@packaging/deps faults
	@Tests/Kill/run .build/release/dokku-daemon --kills $(or $(KILLS),1000)

load: build ## measure the daemon under more clients and requests than it should ever meet
	@python3 Tests/Load/load.py .build/release/dokku-daemon

fuzz: ## fuzz the parsers, encoders and rules, for SECONDS=10 each
	@packaging/deps build
	@packaging/with-swift Tests/Fuzz/run.sh $(or $(SECONDS),10)

sanitize: ## run unit tests, faults and model under the address sanitizer, which also finds leaks
	@packaging/deps build faults model
	@packaging/with-swift Tests/sanitize

lint: ## check what needs no build: formats, dependencies, scripts, pages, links, workflows, and the release script
	@packaging/deps lint
	@packaging/with-swift packaging/lint

format: ## format the sources
	@packaging/with-swift swift format --in-place --recursive Package.swift Sources Tests

bench: build ## measure how long people wait, and compare the speed with a C program; ONLY=f, g, h, i or a-e for a part
	@packaging/with-swift python3 Benchmarks/run.py $(addprefix --only ,$(ONLY))

picture: build ## make docs/session.svg, the picture in README.md, from a real session
	@packaging/deps demo
	@packaging/picture

install: build ## install under $(DESTDIR)$(PREFIX); on a running system, replace the original
	@packaging/install

develop: build ## like install, but with links to this tree
	@packaging/install --link

uninstall: ## remove what install put there
	@packaging/uninstall

deb: ## build the Debian packages
	@packaging/with-swift true
	@packaging/deps build deb
	@PACKAGES=. packaging/with-swift dpkg-buildpackage --build=binary --no-sign --buildinfo-option=-u. --changes-option=-u. \
		--buildinfo-file=dokku-daemon.buildinfo --changes-file=dokku-daemon.changes

lint-deb: deb ## check the packages with lintian
	@packaging/deps lint-deb
	@packaging/lint-deb dokku-daemon.changes

release: ## set version, both changelogs and the tag in this clone: make release VERSION=1.1.0
	@packaging/deps release
	@packaging/release "$$VERSION"

check-release: ## check that version and both changelogs agree, and that TAG is theirs: make check-release TAG=v1.1.0
	@packaging/deps release
	@packaging/release --check $${TAG:+"$$TAG"}

publish: ## publish this folder's packages of TAG and their checksums at the forge
	@packaging/deps publish
	@packaging/publish "$$TAG"

test-systemd: ## test units, package and restarts in a systemd of their own
	@Tests/Systemd/run

test-releases: build ## follow the first steps of the README on fresh systems: Debian 12 and 13
	@packaging/deps systemd
	@Tests/Releases/run $(RELEASES)

lab: ## boot that systemd with this tree's build, and open a shell in it
	@Tests/Systemd/lab

clean: ## remove everything that these targets made, but for the labs' file systems
	@rm -rf .build Package.resolved *.deb *.buildinfo *.changes Benchmarks/bin $(addprefix packaging/debian/, .debhelper files \
		debhelper-build-stamp *.debhelper *.debhelper.log *.substvars dokku-client dokku-daemon)
	@find Tests Benchmarks docs packaging -name __pycache__ -prune -exec rm -rf {} +

clean-lab: ## remove the file systems from which labs boot
	@Tests/Systemd/lab clean
