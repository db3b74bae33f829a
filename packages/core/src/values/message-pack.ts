/** The codec of an endpoint: MessagePack with farref's extension types, and nothing in it that outlives a message. */
import type { RpcError } from "../errors/rpc-error.ts";
import type { Attachments } from "../wire/byte-reader.ts";
import type { ByteWriter } from "../wire/byte-writer.ts";
import type { AttachedLengths } from "../wire/frames.ts";
import type { BinaryPlace, Codec, Decoded, Exporter, Importer, ValueLimits } from "./codec.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import { ExtensionTable, standardExtensions } from "./extensions.ts";
import { hydrate } from "./hydrate.ts";
import { toDecodeError } from "./malformation.ts";
import { toRpcError } from "./refusal.ts";
import type { TypeTable } from "./value-type.ts";

/** @param types the classes that are registered at the endpoint */
export function createCodec(types?: TypeTable): Codec {
  return new MessagePackCodec(types);
}

class MessagePackCodec implements Codec {
  readonly #types: TypeTable | undefined;
  readonly #table: ExtensionTable;
  /** Kept from message to message; taken while in use, for a Proxy's trap may encode something while we read it. */
  #encoder: Encoder | undefined;
  readonly #decoder: Decoder;

  constructor(types: TypeTable | undefined) {
    this.#types = types;
    this.#table = new ExtensionTable(types ? [...standardExtensions, types.row] : standardExtensions);
    this.#decoder = new Decoder(this.#table);
  }

  encode(
    writer: ByteWriter,
    value: unknown,
    exporter: Exporter,
    limits: ValueLimits,
    root: string,
    place: BinaryPlace = "body",
  ): AttachedLengths {
    const { length } = writer;
    const encoder = this.#takeEncoder(writer, exporter, limits, place);
    try {
      return encoder.message(value);
    } catch (error) {
      throw undone(writer, length, root, error);
    } finally {
      this.#returnEncoder(encoder);
    }
  }

  encodeList(
    writer: ByteWriter,
    values: readonly unknown[],
    exporter: Exporter,
    limits: ValueLimits,
    root: string,
    place: BinaryPlace = "body",
  ): AttachedLengths {
    const { length } = writer;
    const encoder = this.#takeEncoder(writer, exporter, limits, place);
    try {
      return encoder.list(values);
    } catch (error) {
      throw undone(writer, length, root, error);
    } finally {
      this.#returnEncoder(encoder);
    }
  }

  decode(bytes: Uint8Array, start: number, end: number, limits: ValueLimits, attachments?: Attachments): Decoded {
    const decoder = this.#decoder;
    decoder.begin(bytes, start, end, limits, attachments);
    try {
      return decoder.message();
    } catch (error) {
      throw toDecodeError(error, start, decoder.position);
    } finally {
      decoder.end();
    }
  }

  decodeList(
    bytes: Uint8Array,
    start: number,
    end: number,
    limits: ValueLimits,
    attachments?: Attachments,
  ): Decoded<unknown[]> {
    const decoder = this.#decoder;
    decoder.begin(bytes, start, end, limits, attachments);
    try {
      return decoder.list();
    } catch (error) {
      throw toDecodeError(error, start, decoder.position);
    } finally {
      decoder.end();
    }
  }

  hydrate<T>(decoded: Decoded<T>, importer: Importer): T {
    return this.#types ? this.#types.hydrate(decoded, importer) : hydrate(decoded, importer);
  }

  keepsClass(thrown: unknown): thrown is Error {
    return this.#types?.isThrowable(thrown) === true;
  }

  #takeEncoder(writer: ByteWriter, exporter: Exporter, limits: ValueLimits, place: BinaryPlace): Encoder {
    const encoder = this.#encoder ?? new Encoder(this.#table);
    this.#encoder = undefined;
    encoder.begin(writer, exporter, limits, place);
    return encoder;
  }

  #returnEncoder(encoder: Encoder): void {
    encoder.end();
    this.#encoder = encoder;
  }
}

/** Takes back what was written of a refused value. */
function undone(writer: ByteWriter, length: number, root: string, error: unknown): RpcError {
  writer.position = writer.start + length;
  return toRpcError(root, error);
}
