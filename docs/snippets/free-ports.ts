/**
 * Snippets name the addresses a reader expects. When they are tested, each service listens at a free port instead, and
 * `connect` finds it there.
 *
 *     vi.mock("farref", async (original) => (await import("./free-ports.ts")).withFreePorts(original));
 */
import type { Channel, ConnectOptions, Service } from "farref";

type Farref = typeof import("farref");

const services = new Map<string, Service<object>>();

export async function withFreePorts(importOriginal: () => Promise<unknown>): Promise<Farref> {
  const original = (await importOriginal()) as Farref;
  const startService: Farref["startService"] = async (where, front, options) => {
    const service = await original.startService(atFreePort(where), front, options);
    if (typeof where === "string") services.set(where, service);
    return service;
  };
  const connect: Farref["connect"] = <T>(where: string | readonly string[] | Channel, options?: ConnectOptions) => {
    return original.connect<T>(typeof where === "string" ? realAddress(where) : where, options);
  };
  return { ...original, startService, connect };
}

export async function closeServices(): Promise<void> {
  for (const service of services.values()) await service.close();
  services.clear();
}

function atFreePort<W>(where: W): W | string {
  return typeof where === "string" ? where.replace(/^(tcp|tls|ws)(:\/\/127\.0\.0\.1):\d+/, "$1$2:0") : where;
}

function realAddress(where: string): string {
  const [address = "", ...name] = where.split("#");
  return [services.get(address)?.uri ?? address, ...name].join("#");
}
