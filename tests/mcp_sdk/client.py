"""Finds the line and its lock with the protocol's own client: `client.py GOTRAIL FOLDER`."""

import asyncio
import sys

from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client


async def main(program, folder, mode):
    server = StdioServerParameters(command=program, args=["mcp", folder])
    async with Client(stdio_client(server), mode=mode) as client:
        calls = 0

        async def call(tool, **arguments):
            nonlocal calls
            calls += 1
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result
            return "\n".join(part.text for part in result.content)

        assert "trace.out  trace" in await call("list_files")
        assert "payment/order_cache.go:47" in await call("findings", file="trace.out")
        locks = await call("locks", file="trace.out")
        assert "Mutex" in locks and "blocked at payment/order_cache.go:45" in locks
        assert calls <= 5
        print(client.protocol_version, calls)


# As of 2026-07-28, and with the handshake of the versions before.
for mode in ["auto", "legacy"]:
    asyncio.run(main(sys.argv[1], sys.argv[2], mode))
