import { describeTransport, slicingTransport } from "@farref/conformance";
import { memoryTransport } from "@farref/transports";

let names = 0;
const setUp = {
  transport: memoryTransport,
  freshUri: () => `memory:conformance-${++names}`,
  badUris: ["memory:", "memory:a b", "memory:a\nb", "memory:a#b", "tcp://127.0.0.1:1"],
};

describeTransport("memory", setUp);
describeTransport("memory, byte by byte", {
  ...setUp,
  transport: slicingTransport(memoryTransport),
  largestBytes: 400_000,
});
