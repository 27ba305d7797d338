"""Asks an export the questions of docs/fleet.md: `ask.py duckdb|spark DIRECTORY`, the questions as a JSON array of strings
on standard input; prints an array of answers, each an array of rows, each an object."""

import json
import os
import sys

engine, directory = sys.argv[1:]
questions = json.load(sys.stdin)
tables = sorted(os.listdir(directory))

if engine == "duckdb":
    import duckdb

    c = duckdb.connect()
    for t in tables:
        files = f"{directory}/{t}/**/*.parquet"
        c.execute(f"create view {t} as select * from read_parquet('{files}', hive_partitioning = true, union_by_name = true)")

    def ask(sql):
        r = c.execute(sql)
        names = [d[0] for d in r.description]
        return [dict(zip(names, row)) for row in r.fetchall()]

else:
    from pyspark.sql import SparkSession

    spark = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    for t in tables:
        spark.read.parquet(f"{directory}/{t}").createOrReplaceTempView(t)

    def ask(sql):
        return [row.asDict() for row in spark.sql(sql).collect()]


def plain(v):
    # Sums of 128 bits and decimals are numbers here.
    return v if v is None or isinstance(v, (bool, int, float, str)) else float(v)


answers = [[{k: plain(v) for k, v in row.items()} for row in ask(q)] for q in questions]
print(json.dumps(answers))
