"""The project's own Scrapy commands (COMMANDS_MODULE): argument errors in a sentence, typed exit codes."""
