"""An SMTP server that takes every mail and keeps none: ``python -m bench.outbound.plain_sink PORT``."""

import asyncio
import sys

ANSWERS = {b"EHLO": b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n", b"DATA": b"354 Go ahead\r\n"}


async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one client until it leaves."""
    writer.write(b"220 sink.example ESMTP\r\n")
    while line := await reader.readline():
        command = line[:4].upper()
        writer.write(ANSWERS.get(command, b"250 Ok\r\n"))
        if command == b"DATA":
            await reader.readuntil(b"\r\n.\r\n")
            writer.write(b"250 Taken\r\n")
        if command == b"QUIT":
            break
    writer.close()


async def serve(port: int) -> None:
    """Take mail until killed."""
    server = await asyncio.start_server(converse, "127.0.0.1", port, limit=2**25, backlog=256)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
