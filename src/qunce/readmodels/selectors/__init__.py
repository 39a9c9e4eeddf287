"""Read the tables folded from the journal for screens: plain functions, plain rows, a fixed number of queries each.

Every function takes `visible`: the groups the reader may see, None = all. Times are milliseconds UTC, `day` is the local day's
number since 1970-01-01. Nothing here counts a large table: pages go by keyset, sums come from `group_day` and the counters.
"""
