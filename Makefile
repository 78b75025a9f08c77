# Everything sets itself up: the first target you call makes .venv from pyproject.toml and constraints.txt, later ones only when
# one of the two has changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
REPLAY := .venv-replay
REPLAYWEBPAGE := 2.5.3
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help

.PHONY: help setup demo test test-root test-replay test-postgres fuzz check format bench bench-crawl bench-extract bench-rebuild bench-gaps bench-nights bench-rechecks
.PHONY: bench-ask bench-versions bench-year killer coverage postgresql clean
.PHONY: bench-databases
.PHONY: bench-quarter
.PHONY: bench-health

help: ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: $(VENV)/.ready ## make .venv with the program and its development tools

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: setup ## crawl the bundled portal into data/demo and compare it with its truth
	$(BIN)/wuhu demo

test: setup ## run the tests, a file at a time on every core
	$(BIN)/pytest -n auto --dist loadfile

test-root: setup ## the tests that mount a volume; they fail without the right to
	$(BIN)/pytest -m root

test-replay: setup $(REPLAY)/.ready ## replay a collection in pywb and replayweb.page, in headless Chromium
	$(BIN)/pytest -m replay

# Programs of others, run beside this one: pywb and playwright from pip, replayweb.page from npm. Nothing of them is shipped.
$(REPLAY)/.ready: tests/replay/requirements.txt
	$(PYTHON) -m venv --clear $(REPLAY)
	$(REPLAY)/bin/pip install --quiet --requirement tests/replay/requirements.txt
	mkdir -p $(REPLAY)/replaywebpage
	cd $(REPLAY)/replaywebpage && npm pack --silent replaywebpage@$(REPLAYWEBPAGE) && tar xzf replaywebpage-$(REPLAYWEBPAGE).tgz
	@touch $@

# Debian's package makes a cluster of its own and starts it, unless it is told not to; the tests make their own.
test-postgres: setup ## the tests of the database on PostgreSQL 15, in a cluster of their own; installs Debian's package as root
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || $(MAKE) --no-print-directory postgresql
	$(BIN)/pytest -m postgres

postgresql:
	@test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
	  || { echo "PostgreSQL is not here: install it first, e.g. apt-get install postgresql-15" >&2; exit 1; }
	mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main-cluster.conf
	apt-get update -qq
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-15

fuzz: setup ## 20,000 damaged pages through extraction and its explanation (FUZZ_PAGES=n); `make test` takes 1,000
	FUZZ_PAGES=$(or $(FUZZ_PAGES),20000) $(BIN)/pytest tests/test_page.py -k reencoded

check: setup ## static checks: ruff, mypy, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## let ruff format and mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

coverage: setup ## tests with coverage of the core rooms, at least 90 %
	$(BIN)/pytest --cov --cov-report=term --cov-fail-under=90

bench: bench-crawl bench-extract bench-rebuild bench-gaps bench-nights bench-rechecks bench-versions bench-ask ## all benchmarks but the year

bench-ask: setup ## every saved question on 100,000 articles, now and as of a day; none may take longer than a second
	$(BIN)/python bench/ask.py --articles $(or $(ARTICLES),100000) $(ARGS)

bench-databases: setup ## SQLite and PostgreSQL beside each other: writing, sizes, dumps and questions (ARTICLES=20000)
	$(BIN)/python bench/databases.py --articles $(or $(ARTICLES),20000)

bench-gaps: setup ## memory and time of `scrapy crawl gaps` over a million numbers and more
	$(BIN)/python bench/gaps.py

bench-rebuild: setup ## the database made again from WARC files: pages a second and memory, two sizes of archive
	$(BIN)/python bench/rebuild.py

bench-rechecks: setup ## whether a budget of re-checks suffices: a year of nights by the rules, without a request
	$(BIN)/python bench/rechecks.py

bench-year: setup ## nightly crawls of a living portal against its truth (ARTICLES=5000 NIGHTS=35; 50000 takes hours)
	$(BIN)/python bench/year.py --articles $(or $(ARTICLES),5000) --nights $(or $(NIGHTS),35)

bench-health: setup ## false alarms in quiet simulated years, and planted trouble found within two runs
	$(BIN)/python bench/health.py

bench-quarter: setup ## a quarter kept by the daemon, with kills, an outage and a block, against the truth (NIGHTS=91)
	$(BIN)/python bench/quarter.py --nights $(or $(NIGHTS),91)

bench-versions: setup ## 10,000 re-fetches with moving counters, sidebars and clocks, then 500 edits: what makes a version
	$(BIN)/python bench/versions.py --refetches $(or $(REFETCHES),10000) --edits $(or $(EDITS),500)

killer: setup ## kill and resume crawls at random instants, 25 times; then check everything (KILLS=200 for a long run)
	$(BIN)/python bench/killer.py --kills $(or $(KILLS),25)

bench-crawl: setup ## our whole job against a bare Scrapy spider, 3,000 articles, alternating runs
	$(BIN)/python bench/crawl.py

# The extractors compared with ours, and what ours needs to extract: some of their pins cannot stand beside those of .venv.
BENCH_VENV := .venv-bench

$(BENCH_VENV)/.ready: bench/constraints.txt
	$(PYTHON) -m venv --clear $(BENCH_VENV)
	$(BENCH_VENV)/bin/pip install --quiet --no-deps --requirement bench/constraints.txt
	@touch $@

bench-extract: $(BENCH_VENV)/.ready ## extraction against trafilatura, readability-lxml, newspaper4k and GNE: accuracy and CPU
	PYTHONPATH=. PYTHONHASHSEED=0 $(BENCH_VENV)/bin/python bench/extract.py $(ARGS)

# scrapy-deltafetch 2.1.0 is refused by Scrapy 2.16 and later (no asynchronous spider output): the newest that takes it is 2.15.
PEERS_VENV := .venv-peers

$(PEERS_VENV)/.ready: bench/peers.txt
	$(PYTHON) -m venv --clear $(PEERS_VENV)
	$(PEERS_VENV)/bin/pip install --quiet --no-deps --requirement bench/peers.txt
	@touch $@

bench-nights: setup $(PEERS_VENV)/.ready ## three nights beside plain Scrapy and scrapy-deltafetch: requests, and what each missed
	$(BIN)/python bench/nights.py --peers $(CURDIR)/$(PEERS_VENV)/bin/python $(ARGS)

clean: ## remove .venv and caches (never an archive)
	rm -rf $(VENV) $(BENCH_VENV) $(PEERS_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage*
