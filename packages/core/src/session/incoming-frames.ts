/** What each frame of the peer's is about: hands it to the part of the session it concerns. */
import { RpcError } from "../errors/rpc-error.ts";
import type { ExportTable } from "../references/export-table.ts";
import type { ImportTable } from "../references/import-table.ts";
import type { ByteReader } from "../wire/byte-reader.ts";
import { beginsWithCallId, frame, kindOf, optional } from "../wire/frames.ts";
import { readDown } from "./downs.ts";
import type { Serving } from "./serving.ts";
import type { SessionSignals } from "./session-signals.ts";
import type { SessionStreams } from "./session-streams.ts";
import type { Settlement } from "./settlement.ts";

/** The parts of a session that frames are about, and what the session does itself. */
export interface FrameReceivers {
  readonly serving: Serving;
  readonly settlement: Settlement;
  readonly exports: ExportTable;
  readonly imports: ImportTable;
  readonly streams: SessionStreams;
  readonly signals: SessionSignals;
  /** The peer takes calls from now on. */
  peerReady(): void;
  /** The peer asks for a sign of life. */
  pinged(): void;
  /** The peer has read up to a ping of ours. */
  pingAnswered(): void;
  /** The peer takes no new calls. */
  peerDraining(): void;
  goodbye(reader: ByteReader): void;
  /** The peer does not know a kind of frame that we sent. */
  notUnderstood(error: RpcError): void;
  /** We do not know the kind: the peer is told. */
  answerUnknown(kind: number): void;
}

export class IncomingFrames {
  readonly #to: FrameReceivers;

  constructor(receivers: FrameReceivers) {
    this.#to = receivers;
  }

  /** The first fragment of a message. */
  begun(code: number, reader: ByteReader): void {
    if (kindOf(code) === frame.call) this.#to.serving.admission.callBegun(reader);
  }

  /** @throws RpcError `protocol` for what no honest peer sends */
  message(code: number, reader: ByteReader): void {
    const to = this.#to;
    switch (kindOf(code)) {
      case frame.call:
        to.serving.admission.call(reader);
        break;
      case frame.result:
        to.settlement.result(reader);
        break;
      case frame.error:
        to.settlement.error(reader);
        break;
      case frame.cancel:
        to.serving.cancel(reader);
        break;
      case frame.lookup:
        to.serving.admission.lookup(reader);
        break;
      case frame.method:
        to.serving.admission.methodName(reader);
        break;
      case frame.release:
        this.#released(reader);
        break;
      case frame.down:
        this.#down(reader);
        break;
      case frame.abort:
        to.signals.aborted(reader);
        break;
      case frame.signalGone:
        to.signals.gone(reader);
        break;
      case frame.ready:
        to.peerReady();
        break;
      case frame.ping:
        to.pinged();
        break;
      case frame.pong:
        to.pingAnswered();
        break;
      case frame.void:
        break;
      case frame.draining:
        to.peerDraining();
        break;
      case frame.goodbye:
        to.goodbye(reader);
        break;
      case frame.unimplemented:
        to.notUnderstood(unimplemented(reader.u8(), "by the peer"));
        break;
      default:
        if (!this.#streamed(kindOf(code), reader)) this.#unknown(code, reader);
        break;
    }
  }

  /** Whether the frame is one of a stream's. */
  #streamed(kind: number, reader: ByteReader): boolean {
    const { incoming, outgoing } = this.#to.streams;
    if (kind === frame.streamItem) incoming.piece("item", reader);
    else if (kind === frame.streamCredit) outgoing.credit(reader);
    else if (kind === frame.streamEnd) incoming.piece("end", reader);
    else if (kind === frame.streamError) incoming.piece("failure", reader);
    else if (kind === frame.streamCancel) outgoing.cancel(reader);
    else return false;
    return true;
  }

  #released(reader: ByteReader): void {
    while (reader.remaining > 0) this.#to.exports.release(reader.varint(), reader.varint());
  }

  #down(reader: ByteReader): void {
    const down = readDown(reader);
    while (reader.remaining > 0) this.#to.imports.down(reader.varint(), down);
  }

  /** A frame of a later version: skipped where that is allowed, else answered. */
  #unknown(code: number, reader: ByteReader): void {
    if (code & optional) return;
    const kind = kindOf(code);
    if (beginsWithCallId(kind)) this.#to.serving.refuseUnknown(reader, unimplemented(kind, "here"));
    else this.#to.answerUnknown(kind);
  }
}

function unimplemented(kind: number, where: string): RpcError {
  return new RpcError("unimplemented", `frames of kind ${kind} are not known ${where}`, "not-executed");
}
