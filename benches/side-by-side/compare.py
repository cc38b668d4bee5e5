"""Puts the measurements of run.sh side by side: times by input, verdicts that differ, how many times as fast Kith is."""

import sys
from pathlib import Path


def read(path):
    rows = (line.split("\t") for line in Path(path).read_text().splitlines())
    return {name: (verdict, float(time)) for name, verdict, time in rows}


tools = {Path(path).stem: read(path) for path in sys.argv[1:]}
kith = tools.pop("kith")
for tool, rows in tools.items():
    both = [name for name in kith if name in rows]
    same = [name for name in both if rows[name][0] == kith[name][0]]
    ours = sum(kith[name][1] for name in both)
    theirs = sum(rows[name][1] for name in both)
    ratios = sorted(rows[name][1] / max(kith[name][1], 0.1) for name in both)
    print(f"{tool}: {len(same)} of {len(both)} verdicts as Kith's; mean {theirs / len(both):.0f} µs a resource, "
          f"Kith {ours / len(both):.0f} µs: Kith is {theirs / ours:.0f} times as fast (median {ratios[len(ratios) // 2]:.0f})")
    for name in both:
        if name not in same:
            print(f"    {name}: {rows[name][0]}, Kith {kith[name][0]}")
