"""`python -m wuhu_crawler` is `wuhu`."""

from .cli import main

main()
