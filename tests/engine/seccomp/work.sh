# shellcheck shell=sh
# What a session does on an ordinary day. Everything must work under the strict profile.
set -eu
cd /tmp
export HOME=/tmp/home GIT_CONFIG_NOSYSTEM=1 PYTHONDONTWRITEBYTECODE=1
mkdir -p "$HOME" "$HOME/.npm"

echo "== coreutils"
printf 'b\na\n' | sort | tee sorted | head -n 1
cp -a sorted copied && mv copied moved && ln -s moved link && ln moved hard && stat -c %F link >/dev/null
chmod 750 moved && chmod g+s "$HOME" && touch -d yesterday moved && truncate -s 1M big && dd if=big of=big2 bs=64k status=none
mkfifo fifo && (echo through >fifo &) && cat fifo
tar -czf - sorted | tar -tzf - && find . -type f -print0 | xargs -0 -n 1 sha256sum >/dev/null
timeout 5 sleep 0.01 && nice -n 5 true && nproc >/dev/null && df /tmp >/dev/null && yes | head -n 1000 | wc -l && sync moved
setsid true && mktemp -d >/dev/null && id -u

echo "== git"
git init -q repo && cd repo
git config user.email sandbox@example.invalid && git config user.name sandbox
cp ../sorted . && git add . && git commit -q -m first && git checkout -q -b other && git gc -q && git fsck --no-progress
cd .. && git clone -q repo clone && git -C clone log --oneline | wc -l

echo "== python"
python3 - <<'PY'
import asyncio, concurrent.futures, fcntl, getpass, multiprocessing, os, select, shutil, signal, socket, sqlite3
import subprocess, tempfile, threading, time

assert subprocess.check_output(["echo", "child"]) == b"child\n"
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    assert sum(pool.map(lambda n: n * n, range(50))) == 40425
with multiprocessing.get_context("fork").Pool(2) as pool:
    assert pool.map(abs, [-1, -2]) == [1, 2]
async def main():
    async def answer(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("localhost", port)
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    process = await asyncio.create_subprocess_exec("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert (await process.communicate(b"x"))[0] == b"x"
asyncio.run(main())
a, b = socket.socketpair()
a.send(b"1") and b.recv(1)
with tempfile.TemporaryDirectory() as folder:
    database = sqlite3.connect(f"{folder}/db")
    database.execute("pragma journal_mode=wal")
    database.execute("create table t (n)")
    database.commit()
    with open(f"{folder}/lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
    shutil.copytree(folder, f"{folder}-copy")
os.sched_getaffinity(0), os.getrandom(8), os.memfd_create("m"), os.posix_fallocate(os.open("/tmp/f", os.O_CREAT | os.O_RDWR), 0, 4096)
socket.if_nameindex()
shutil.rmtree("/tmp/repo")
PY
python3 -m venv venv && venv/bin/python -c 'import sys; print(sys.prefix)'
venv/bin/pip --version >/dev/null && venv/bin/pip list --disable-pip-version-check >/dev/null

echo "== node"
node - <<'JS'
const assert = require("node:assert");
const { Worker } = require("node:worker_threads");
const { execFileSync } = require("node:child_process");
const [fs, os, net, crypto, zlib, dns] = ["fs", "os", "net", "crypto", "zlib", "dns"].map((name) => require(`node:${name}`));
assert.equal(execFileSync("echo", ["child"]).toString(), "child\n");
assert.ok(os.networkInterfaces().lo && os.cpus().length);
fs.cpSync("/tmp/clone", "/tmp/clone2", { recursive: true });
const watcher = fs.watch("/tmp/clone2", () => watcher.close());
fs.writeFileSync("/tmp/clone2/new", crypto.randomBytes(10));
crypto.pbkdf2("a", "b", 1000, 16, "sha256", () => {});
zlib.gzip("x".repeat(9999), (error) => assert.ifError(error));
dns.lookup("localhost", (error) => assert.ifError(error));
fs.promises.readFile("/etc/passwd").then((bytes) => assert.ok(bytes.length));
new Worker("require('node:worker_threads').parentPort.postMessage(6 * 7)", { eval: true }).once("message", (n) => {
  assert.equal(n, 42);
  const server = net.createServer((socket) => socket.end("bye")).listen(0, "127.0.0.1", () =>
    net.connect(server.address().port, "127.0.0.1").on("data", (data) => assert.equal(data.toString(), "bye")).on("close", () => server.close()));
});
JS
UV_USE_IO_URING=1 node -e 'require("fs").promises.stat("/tmp").then(() => console.log("node with io_uring asked for"))'
mkdir -p dependency package && cd package
printf '{"name":"dependency","version":"1.0.0"}' >../dependency/package.json
printf '{"name":"package","version":"1.0.0","scripts":{"greet":"echo npm runs"}}' >package.json
npm install --silent --no-audit --no-fund --offline ../dependency && npm run --silent greet && npm pack --silent
cd ..

echo "== curl and ripgrep"
python3 -m http.server 8765 --bind 127.0.0.1 --directory clone >/dev/null 2>&1 &
server=$!
curl --silent --fail --retry 50 --retry-delay 0 --retry-connrefused http://localhost:8765/sorted
kill "$server"
rg --quiet 'a' clone && rg --files clone | wc -l
echo "all done"
