"""Item pipelines, one class a file, in the order validate, dates, persist. Thin: the work is in `ingest`."""
