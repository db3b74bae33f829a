/** No RPC at all: 32 bytes go and come back. It shows what the machine makes of a round trip. */
import { once } from "node:events";
import { connect } from "node:net";
import { type Contender, onlyAdds } from "./contender.ts";
import { listenOnLoopback, portOf } from "./loopback.ts";

const ballBytes = 32;

export const bareSocket: Contender = {
  name: "bare socket",
  transport: "tcp",
  serve() {
    return listenOnLoopback((socket) => {
      socket.on("data", (chunk) => socket.write(chunk));
    });
  },
  async connect(address) {
    const socket = connect({ host: "127.0.0.1", port: portOf(address), noDelay: true });
    await once(socket, "connect");
    const ball = Buffer.alloc(ballBytes);
    let missing = 0;
    let caught: (sum: number) => void;
    socket.on("data", (chunk) => {
      missing -= chunk.length;
      if (missing === 0) caught(0);
    });
    return onlyAdds({
      // One at a time: a ball has no id.
      add() {
        missing = ballBytes;
        socket.write(ball);
        return new Promise((resolve) => {
          caught = resolve;
        });
      },
      async close() {
        socket.destroy();
      },
    });
  },
};
