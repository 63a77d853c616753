export PYO3_PYTHON=/tmp/w/core/.venv/bin/python
cd /tmp/w/core; CARGO_PROFILE_BENCH_DEBUG=1 cargo build -q -j2 --profile bench --example frames -p ocppcore --locked --target-dir target/dbg
cd target/cg; grep -P "\t$1[^\t]*\t$2" frames > one; valgrind --tool=callgrind --toggle-collect=frames::measured --callgrind-out-file=one.out --dump-instr=yes ../dbg/release/examples/frames count one > log 2>&1
callgrind_annotate --threshold=100 one.out | grep -E "^ *[0-9]" | python3 -c "
import sys,re,collections
t=collections.Counter()
for l in sys.stdin:
    m=re.match(r' *([\d,]+) \([^)]*\)\s+(\S+?):(.*)',l)
    if m: t[re.sub(r'\s*\[.*','',m[3])]+=int(m[1].replace(',',''))
for k,v in t.most_common(22): print(round(v/600,1),k)
"
