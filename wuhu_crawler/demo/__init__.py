"""The bundled portal: a classic-ASP look-alike on 127.0.0.1, the same at every start from a seed.

It may import items and errors only.

words, texts, credits    what is written: vocabulary, sentences, bylines
articles, world          the model: articles, IDs with their holes, categories
bodies, looks/           markup: body shapes and page templates of the family's eras
stock, changes, life     what was there before, what editors change, and what happens on which day; living: the world of a day
listings, dead, assets   all other pages: lists, soft-404s and error pages, files
portal, faults, server   answering: scripts and counters, faults on demand, HTTP
truth                    what is true of it, told without any HTML
"""
