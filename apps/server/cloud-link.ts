import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Clock, Timer } from "#base/clock";
import { createKeptJson, systemFiles } from "#base/io";
import type { Log } from "#base/log";
import { asProblem, isProblem, Problem } from "#base/problem";
import { createTurns } from "#base/turns";
import type { CloudEnrolment } from "#doors/api";
import {
  callCloud,
  cloudAt,
  decodeEnrolmentCode,
  dialCloud,
  keepCalling,
  linkProtocols,
  proxyAt,
  readAuthority,
  streamFromCloud,
} from "#doors/link";
import type {
  CloudKeysView,
  CloudLinkView,
  EdgeCertificateView,
  EdgeEnrolmentRequest,
  EdgeRenewalRequest,
  EdgeReport,
  EdgeSelfView,
} from "#formats/api";
import type { UplinkKeys } from "#radiology/uplink";
import { type Gate, system } from "#trust/access";
import { newSigningKey, type SigningKey } from "#trust/parcels";
import type { Vault } from "#trust/vault";

/** The same with its connections. */
export interface CloudLink extends CloudEnrolment {
  /** A connection that speaks this protocol, as the box that was enrolled. Problem `absent` where it is not. */
  dial(protocol: string): Promise<TLSSocket>;
  /** What the box needs to go on while its cloud is not reached. Undefined until it was enrolled and the cloud has answered once. */
  keys(): UplinkKeys | undefined;
  /** What the cloud answers the box; to a longer answer it does not listen. */
  ask<T>(path: string, answerBytesMax: number): Promise<T>;
  /** The same of a POST, over another connection: what takes its time keeps nothing waiting. */
  post<T>(path: string, body: unknown, answerBytesMax: number, signal?: AbortSignal): Promise<T>;
  /** The bytes that the cloud answers a POST, as they come, over a connection of its own. */
  stream(path: string, body: unknown, signal?: AbortSignal): AsyncIterable<Buffer>;
  /** Told each time when the cloud has said what the box has to know. */
  onTold(listener: (told: EdgeSelfView) => void): void;
  /** How the box stands with its cloud, as far as is known without asking. Undefined where it is not enrolled. */
  standing(): CloudStanding | undefined;
  /** From now on it renews its certificate by itself, and tells the cloud once a minute how this box does. */
  begin(report: () => Promise<EdgeReport>): void;
  close(): Promise<void>;
}

export interface CloudStanding extends CloudLinkView {
  readonly isReached: boolean;
  /** Since when that is so. */
  readonly since: number;
}

/** What lies in the home; the key and the way out, which may have a password in it, are sealed. */
interface Kept {
  readonly url: string;
  readonly id: string;
  readonly name: string;
  readonly authority: string;
  readonly certificate: string;
  readonly enrolledAt: number;
  readonly sealed: string;
}

/** What of it is sealed. */
interface Secrets {
  readonly key: string;
  /** Undefined for who was enrolled before there was one: the next renewal brings it. */
  readonly signing?: SigningKey | undefined;
  readonly proxy?: string | undefined;
  /** As the cloud said last. */
  readonly cloud?: CloudKeysView | undefined;
}

interface Enrolled extends Omit<Kept, "sealed">, Secrets {}

const file = "cloud-link.json";
const purpose = "cloud link key";
const tellEveryMs = 60_000;

export interface CloudLinkParts {
  readonly folder: string;
  readonly vault: Pick<Vault, "secrets">;
  readonly gate: Pick<Gate, "pass">;
  readonly software: string;
  readonly clock: Clock;
  readonly log: Log;
}

export async function openCloudLink(parts: CloudLinkParts): Promise<CloudLink> {
  const { gate, software, clock, log } = parts;
  const kept = keptIn(parts);
  const { take: inTurn, idle } = createTurns();
  const state = { lastContactAt: 0, clockAheadMs: null as number | null };
  let reached = { isReached: false, since: clock.now() };
  let error: CloudLinkView["error"] = null;
  let enrolled = await kept.load();
  let timer: Timer | undefined;
  const listeners: ((told: EdgeSelfView) => void)[] = [];

  /** What comes of asking the cloud is remembered for who looks. */
  const noting = async <T>(work: () => Promise<T>, counts = (_thrown: unknown) => true): Promise<T> => {
    try {
      const done = await work();
      state.lastContactAt = clock.now();
      error = null;
      if (!reached.isReached) reached = { isReached: true, since: clock.now() };
      return done;
    } catch (thrown) {
      if (!counts(thrown)) throw thrown;
      const { message, remedy = "" } = asProblem(thrown, "asking the cloud");
      error = { at: clock.now(), message, remedy };
      if (reached.isReached) reached = { isReached: false, since: clock.now() };
      throw thrown;
    }
  };
  /** The same of what is asked for machines: what the cloud refuses of that says nothing of the way to it. */
  const reading = <T>(work: () => Promise<T>) => noting(work, (thrown) => isProblem(thrown, "unavailable"));
  const wayOf = ({ url, proxy }: Pick<Enrolled, "url" | "proxy">) => ({
    cloud: cloudAt(url),
    ...(proxy !== undefined && { proxy: proxyAt(proxy) }),
    clock,
  });
  const dial = (as: Enrolled, protocol: string) =>
    dialCloud({ ...wayOf(as), protocol, authority: as.authority, own: as });
  const call = async <T>(as: Enrolled, method: string, path: string, body?: unknown): Promise<T> =>
    callCloud<T>(await dial(as, linkProtocols.calls), { ...wayOf(as), method, path, body });

  /** A box that does not reach its cloud goes on with what it was told last. */
  const keepKeys = async (as: Enrolled, told: CloudKeysView): Promise<void> => {
    const cloud = checkedKeys(told);
    if (JSON.stringify(cloud) !== JSON.stringify(as.cloud)) enrolled = await kept.save({ ...as, cloud });
  };
  const heard = async (as: Enrolled, asking: () => Promise<EdgeSelfView>) => {
    const before = clock.now();
    const told = await asking();
    state.clockAheadMs = Math.round(told.at - (before + clock.now()) / 2);
    await keepKeys(as, told);
    for (const listener of listeners) listener(told);
  };
  const ask = (as: Enrolled) => noting(() => heard(as, () => call(as, "GET", "/api/edges/self")));
  /** Over a connection that stays: to come in is an entry in the cloud's log each time. */
  const calling = () =>
    keepCalling(() => {
      if (enrolled === undefined) throw notEnrolled();
      return dial(enrolled, linkProtocols.calls);
    });
  const telling = calling();
  const searching = calling();
  const hangUp = () => {
    telling.close();
    searching.close();
  };
  const tell = (as: Enrolled, body: EdgeReport) =>
    noting(() => {
      const asked = { ...wayOf(as), method: "POST", path: "/api/edges/self/report", body };
      return heard(as, () => telling.call(asked));
    });
  const renewNow = (as: Enrolled) =>
    noting(async () => {
      const made = await makeKey(as.id);
      const signing = as.signing ?? newSigningKey();
      const body: EdgeRenewalRequest = { request: made.request, software, signingKey: signing.publicKey };
      const { certificate, name } = await call<EdgeCertificateView>(as, "POST", "/api/edges/self/renewal", body);
      // Until this is on the disk, the one before is shown, which holds until then.
      enrolled = await kept.save({ ...as, name, certificate, signing, key: made.key });
      hangUp();
    });
  const look = async (report: () => Promise<EdgeReport>): Promise<void> => {
    const as = enrolled;
    if (as === undefined) return;
    const isDue = clock.now() >= renewsAt(as) || as.signing === undefined;
    const renewal = isDue ? gate.pass(system, "link.renew", undefined, () => renewNow(as)) : undefined;
    // Under the certificate that it has it goes on meanwhile: one that cannot be renewed holds for ten days more.
    await renewal?.catch((thrown) => log.warn("the certificate of this edge was not renewed", {}, thrown));
    await tell(enrolled ?? as, await report());
  };
  const lookInTime = (report: () => Promise<EdgeReport>): Promise<void> =>
    inTurn(() => look(report))
      .catch((thrown) => log.warn("the cloud was not reached, or does not take this edge", {}, thrown))
      .finally(() => {
        if (timer === undefined) return;
        // That of another look, which waited for its turn.
        timer.stop();
        timer = clock.after(tellEveryMs, () => void lookInTime(report));
      });
  /** Once it has begun. */
  let tellNow = (): void => {};
  const viewNow = (): CloudLinkView | undefined => enrolled && viewOf(enrolled, { ...state, error });

  /** Who asks meanwhile sees what comes of it: a cloud that is silent takes most of a minute. */
  let looking: Promise<CloudLinkView | undefined> | undefined;

  return {
    view() {
      looking ??= inTurn(async () => {
        if (enrolled !== undefined) await ask(enrolled).catch(() => {}); // the view says so
        return viewNow();
      }).finally(() => {
        looking = undefined;
      });
      return looking;
    },
    enrol: ({ url, code, proxy }) =>
      inTurn(async () => {
        const { secret, pin } = decodeEnrolmentCode(code);
        const way = wayOf({ url, proxy });
        const authority = await readAuthority(way, linkProtocols.calls, { pin });
        const made = await makeKey("edge");
        // Of a new cloud, or a new time in the same one: nothing that was signed before is vouched for by it.
        const signing = newSigningKey();
        const asking = { request: made.request, software, signingKey: signing.publicKey };
        const body: EdgeEnrolmentRequest = { ...asking, secret: secret.toString("hex") };
        const socket = await dialCloud({ ...way, protocol: linkProtocols.calls, authority });
        const asked = { ...way, method: "POST", path: "/api/edges/enrolment", body };
        const { id, name, certificate } = await callCloud<EdgeCertificateView>(socket, asked);
        const { origin } = new URL(url);
        const as = { url: origin, id, name, authority, certificate, enrolledAt: clock.now() };
        enrolled = await kept.save({ ...as, key: made.key, signing, proxy });
        hangUp();
        tellNow();
        await ask(enrolled).catch(() => {}); // the view says so
        return viewOf(enrolled, { ...state, error });
      }),
    renew: ({ proxy }) =>
      inTurn(async () => {
        if (enrolled === undefined) throw notEnrolled();
        const as = proxy === undefined ? enrolled : { ...enrolled, proxy: proxy === "none" ? undefined : proxy };
        await renewNow(as);
        await ask(enrolled).catch(() => {}); // the view says so
        return viewOf(enrolled, { ...state, error });
      }),
    keys() {
      const { id = "", signing, cloud } = enrolled ?? {};
      return signing && cloud && { edgeId: id, signing, ...cloud };
    },
    async dial(protocol) {
      const as = enrolled;
      if (as === undefined) throw notEnrolled();
      return noting(() => dial(as, protocol));
    },
    async ask(path, answerBytesMax) {
      const as = enrolled;
      if (as === undefined) throw notEnrolled();
      return noting(() => telling.call({ ...wayOf(as), method: "GET", path, answerBytesMax }));
    },
    async post(path, body, answerBytesMax, signal) {
      const as = enrolled;
      if (as === undefined) throw notEnrolled();
      const given = signal === undefined ? {} : { signal };
      return reading(() => searching.call({ ...wayOf(as), ...given, method: "POST", path, body, answerBytesMax }));
    },
    async *stream(path, body, signal) {
      const as = enrolled;
      if (as === undefined) throw notEnrolled();
      const socket = await reading(() => dial(as, linkProtocols.calls));
      yield* streamFromCloud(socket, { ...wayOf(as), method: "POST", path, body, ...(signal && { signal }) });
    },
    onTold: (listener) => void listeners.push(listener),
    standing() {
      const view = viewNow();
      return view && { ...view, ...reached };
    },
    begin(report) {
      tellNow = () => {
        timer?.stop();
        timer = clock.after(0, () => void lookInTime(report));
      };
      tellNow();
    },
    async close() {
      timer?.stop();
      timer = undefined;
      tellNow = () => {};
      await idle();
      hangUp();
    },
  };
}

function keptIn({ folder, vault }: Pick<CloudLinkParts, "folder" | "vault">) {
  const json = createKeptJson(systemFiles, folder, file);
  return {
    async load(): Promise<Enrolled | undefined> {
      const found = (await json.load()) as Kept | undefined;
      if (found === undefined) return undefined;
      const { sealed, ...rest } = found;
      const opened = vault.secrets.open(purpose, Buffer.from(sealed, "base64")).toString("utf8");
      return { ...rest, ...(JSON.parse(opened) as Secrets) };
    },
    async save(enrolled: Enrolled): Promise<Enrolled> {
      const { key, signing, proxy, cloud, ...rest } = enrolled;
      const secrets: Secrets = { key, signing, proxy, cloud };
      const sealed = vault.secrets.seal(purpose, Buffer.from(JSON.stringify(secrets), "utf8"));
      await json.save({ ...rest, sealed: sealed.toString("base64") } satisfies Kept);
      return enrolled;
    },
  };
}

const rawKey = /^[\w-]{43}$/;
const receiptKeysMost = 50;

/** The cloud is believed, but not to be without faults: what is sealed to no key is lost. */
function checkedKeys({ parcelKey, receiptKeys = [], samenessKey = "" }: Partial<CloudKeysView>): CloudKeysView {
  const { id = "", publicKey = "" } = parcelKey ?? {};
  const keys = [publicKey, samenessKey, ...receiptKeys];
  if (!/^[0-9a-f]{16}$/.test(id) || keys.length > receiptKeysMost || !keys.every((key) => rawKey.test(key)))
    throw new Problem("unsupported", "the cloud told keys that are none", { remedy: "update the cloud and this box" });
  return { parcelKey: { id, publicKey }, receiptKeys: [...receiptKeys], samenessKey };
}

async function makeKey(name: string) {
  return (await import("./certificates.ts")).makeRequest(name);
}

/** At two thirds of its life: ten days are left for whoever has to mend what is in the way. */
function renewsAt({ certificate }: Pick<Enrolled, "certificate">): number {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return Math.round(Date.parse(validFrom) + ((Date.parse(validTo) - Date.parse(validFrom)) * 2) / 3);
}

function viewOf(
  as: Enrolled,
  { lastContactAt, clockAheadMs, error }: Pick<CloudLinkView, "lastContactAt" | "clockAheadMs" | "error">,
): CloudLinkView {
  const { url, name, id, proxy, enrolledAt, certificate } = as;
  return {
    ...{ url, name, id, enrolledAt, lastContactAt, clockAheadMs, error },
    proxy: proxy === undefined ? "" : new URL(proxy).host,
    certificateEndsAt: Date.parse(new X509Certificate(certificate).validTo),
    renewsAt: renewsAt(as),
  };
}

function notEnrolled(): Problem {
  const remedy = "leadglass edge enroll URL CODE, with a code from the cloud's page for edges";
  return new Problem("absent", "this machine is not enrolled in a cloud", { remedy });
}
