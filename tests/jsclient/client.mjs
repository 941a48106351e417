// A caseworker's client made of Element's own parts (matrix-js-sdk and its Rust crypto), driven over JSON lines.
//
//   in:  {"id": 1, "method": "login", "params": {"url": …, "user": …, "password": …}}
//   out: {"id": 1, "result": …}   or   {"id": 1, "error": "one sentence"}
//
// Strict as Element is to become (MSC4153): keys go only to cross-signed devices, and what an unsigned device sent is
// not decrypted. Nothing but answers goes to standard output; the SDK's own talk goes to standard error.

for (const level of ["log", "info", "warn", "debug", "trace"]) console[level] = (...words) => console.error(...words);
await import("fake-indexeddb/auto");
const { createInterface } = await import("node:readline");
const sdk = await import("matrix-js-sdk");
const { AllDevicesIsolationMode, CrossSigningKey, EventShieldColour, EventShieldReason, OnlySignedDevicesIsolationMode } =
    await import("matrix-js-sdk/lib/crypto-api/index.js");

const { VerificationPhase, VerifierEvent } = await import("matrix-js-sdk/lib/crypto-api/verification.js");

const { decodeRecoveryKey } = await import("matrix-js-sdk/lib/crypto-api/recovery-key.js");

const SHIELDS = Object.fromEntries(Object.entries(EventShieldReason).map(([name, value]) => [value, name]));

let client;
let account;
const hubs = new Set();
const arrivals = []; // every timeline event, in the order of arrival
const returned = new Set(); // ids of the events that a `wait` has given away
const watchers = new Set();
const verifications = []; // those that this client asked for, by number

const methods = {
    async login({ url, user, password, strict = true, accept = [], recovery = null }) {
        accept.forEach((hub) => hubs.add(hub));
        const plain = sdk.createClient({ baseUrl: url });
        const session = await plain.loginRequest({
            type: "m.login.password",
            identifier: { type: "m.id.user", user },
            password,
            initial_device_display_name: "caseworker",
        });
        account = { user: session.user_id, password };
        client = sdk.createClient({
            baseUrl: url,
            userId: session.user_id,
            deviceId: session.device_id,
            accessToken: session.access_token,
            cryptoCallbacks: { getSecretStorageKey: async ({ keys }) => [Object.keys(keys)[0], decodeRecoveryKey(recovery)] },
        });
        await client.initRustCrypto({ cryptoDatabasePrefix: `p-${session.device_id}` });
        client
            .getCrypto()
            .setDeviceIsolationMode(strict ? new OnlySignedDevicesIsolationMode() : new AllDevicesIsolationMode(false));
        return { user_id: session.user_id, device_id: session.device_id };
    },

    // Three keys made here, published, and this device signed with them.
    async bootstrap() {
        const auth = {
            type: "m.login.password",
            identifier: { type: "m.id.user", user: account.user },
            password: account.password,
        };
        const crypto = client.getCrypto();
        await crypto.bootstrapCrossSigning({ authUploadDeviceSigningKeys: (request) => request(auth) });
        return { ready: await crypto.isCrossSigningReady(), fingerprint: await crypto.getCrossSigningKeyId(CrossSigningKey.Master) };
    },

    // What Element does with a recovery key: take the identity from secret storage and sign this device with it.
    async recover() {
        const crypto = client.getCrypto();
        await crypto.userHasCrossSigningKeys(account.user, true); // the public halves first, or the SDK takes none
        await crypto.bootstrapCrossSigning({});
        return { ready: await crypto.isCrossSigningReady(), fingerprint: await crypto.getCrossSigningKeyId(CrossSigningKey.Master) };
    },

    async sync({ timeout = 60 }) {
        client.on(sdk.ClientEvent.Event, (event) => arrivals.push(event) && look());
        client.on(sdk.MatrixEventEvent.Decrypted, look);
        client.on(sdk.RoomEvent.MyMembership, look);
        client.on(sdk.RoomStateEvent.Members, look);
        client.on(sdk.RoomMemberEvent.Membership, (_event, member) => void acceptInvitation(member));
        await client.startClient({ initialSyncLimit: 100, threadSupport: true });
        await until(() => ["PREPARED", "SYNCING"].includes(client.getSyncState()), timeout, "the first sync", () => {});
    },

    accept: ({ user }) => void hubs.add(user),

    rooms: () =>
        client.getRooms().map((room) => ({ id: room.roomId, membership: room.getMyMembership(), encrypted: encrypted(room.roomId) })),

    async create({ invite = [] }) {
        const { room_id: room } = await client.createRoom({
            preset: "private_chat",
            invite,
            initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
        });
        return room;
    },

    join: async ({ room, via = [] }) => (await client.joinRoom(room, { viaServers: via })).roomId,

    // The SDK would send clear text into a room that it has not synced: nothing is sent before this has returned.
    in_room: ({ room, members = [], timeout = 30 }) => inRoom(room, members, timeout),

    async send({ room, body, thread = null, reply_to = null, mention = null, timeout = 30 }) {
        await inRoom(room, [], timeout);
        const content = { msgtype: "m.text", body };
        if (mention) content["m.mentions"] = { user_ids: [mention] };
        if (thread || reply_to) content["m.relates_to"] = relation(thread, reply_to);
        return (await client.sendMessage(room, content)).event_id;
    },

    async edit({ room, event, body }) {
        const content = {
            "msgtype": "m.text",
            "body": `* ${body}`,
            "m.new_content": { msgtype: "m.text", body },
            "m.relates_to": { rel_type: "m.replace", event_id: event },
        };
        return (await client.sendMessage(room, content)).event_id;
    },

    redact: async ({ room, event }) => void (await client.redactEvent(room, event)),

    // The first message or edit of somebody else that matches and that no earlier wait has returned.
    // A message that cannot be read has the body "UNREADABLE: <code of the SDK>", so it can be waited for as well.
    async wait({ pattern, room = null, sender = null, thread = null, timeout = 30 }) {
        const wanted = new RegExp(pattern, "i");
        let found;
        await until(
            () => {
                found = arrivals.find(
                    (event) =>
                        isMessage(event) &&
                        !returned.has(event.getId()) &&
                        event.getSender() !== account.user &&
                        (!room || event.getRoomId() === room) &&
                        (!sender || event.getSender() === sender) &&
                        (!thread || relationOf(event).event_id === thread) &&
                        wanted.test(bodyOf(event)),
                );
                return found !== undefined;
            },
            timeout,
            `a message that matches ${pattern}`,
            retryUnreadable,
        );
        returned.add(found.getId());
        return describe(found);
    },

    // What stands in the room now: edits and redactions applied.
    async transcript({ room }) {
        const messages = arrivals.filter(
            (event) => event.getRoomId() === room && (isMessage(event) || event.isRedacted()) && relationOf(event).rel_type !== "m.replace",
        );
        return Promise.all(messages.filter((event) => event.getType() !== "m.reaction").map((event) => describe(event, true)));
    },

    async shield({ room, event }) {
        const found = arrivals.find((each) => each.getId() === event && each.getRoomId() === room);
        if (!found) throw new Error("this client has not seen that event");
        return shieldOf(found);
    },

    // How this client sees somebody's identity: an unsigned one, or one that changed, would make Element warn.
    async identity({ user }) {
        const crypto = client.getCrypto();
        const devices = (await crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
        const status = await crypto.getUserVerificationStatus(user);
        const signed = {};
        for (const id of devices.keys()) signed[id] = (await crypto.getDeviceVerificationStatus(user, id))?.signedByOwner ?? false;
        return { devices: signed, needs_approval: status.needsUserApproval, was_verified: status.wasCrossSigningVerified(), verified: status.isCrossSigningVerified() };
    },

    // --- verification by emoji, as Element's buttons do it

    // "Verify user": asks in this room; `verified` tells later what became of it.
    async verify({ user, room }) {
        const request = await client.getCrypto().requestVerificationDM(user, room);
        verifications.push({ request });
        return verifications.length - 1;
    },

    // The same over to-device messages, for a device of our own account or of somebody else.
    async verify_device({ user, device }) {
        const request = await client.getCrypto().requestDeviceVerification(user, device);
        verifications.push({ request });
        return verifications.length - 1;
    },

    // "Verify by emoji", once the other side is ready; returns the names that the SDK gives to the seven emoji.
    async emoji({ id, timeout = 30 }) {
        const one = verifications[id];
        await until(() => one.request.phase >= VerificationPhase.Ready, timeout, "the other side to be ready", look);
        if (one.request.phase !== VerificationPhase.Ready) throw new Error(`not ready: ${phaseOf(one.request)}`);
        one.verifier = await one.request.startVerification("m.sas.v1");
        one.verifier.on(VerifierEvent.ShowSas, (callbacks) => ((one.sas = callbacks), look()));
        one.verifier.verify().then(
            () => (one.end = "verified"),
            (error) => (one.end = `cancelled ${error?.code ?? error?.message ?? error}`),
        );
        await until(() => one.sas || one.end, timeout, "emoji", look);
        if (!one.sas) throw new Error(`no emoji: ${one.end}`);
        return one.sas.sas.emoji.map(([symbol, name]) => ({ symbol, name }));
    },

    // "They match" and "They do not match".
    match: ({ id }) => void verifications[id].sas.confirm().catch(() => {}),
    mismatch: ({ id }) => void verifications[id].sas.mismatch(),
    cancel: async ({ id }) => void (await verifications[id].request.cancel()),

    // The name of the phase, with the code when it was cancelled.
    async phase({ id, wanted = null, timeout = 30 }) {
        const { request } = verifications[id];
        if (wanted) await until(() => phaseOf(request).startsWith(wanted), timeout, `phase ${wanted}, is ${phaseOf(request)}`, look);
        return phaseOf(request);
    },

    // An event as it is, unencrypted: what a homeserver could make up in her name.
    raw: async ({ room, type, content }) => (await client.http.authedRequest("PUT", `/rooms/${encodeURIComponent(room)}/send/${type}/${Math.random().toString(36).slice(2)}`, undefined, content)).event_id,

    async logout() {
        client.stopClient();
        await client.logout(true);
    },
};

const phaseOf = (request) => VerificationPhase[request.phase] + (request.cancellationCode ? ` ${request.cancellationCode}` : "");

function look() {
    for (const watcher of [...watchers]) watcher();
}

// A message can outrun the news that its sender's device is signed; Element tries such a one again when it is shown again.
function retryUnreadable() {
    for (const event of arrivals) {
        if (event.isDecryptionFailure()) void event.attemptDecryption(client.getCrypto(), { isRetry: true });
    }
}

function until(condition, seconds, what, meanwhile = undefined) {
    return new Promise((resolve, reject) => {
        const end = (finish) => {
            watchers.delete(check);
            clearTimeout(timer);
            clearInterval(ticker);
            finish();
        };
        const check = () => condition() && end(resolve);
        const seen = () => arrivals.filter(isMessage).slice(-8).map((event) => bodyOf(event).slice(0, 80));
        const late = () => end(() => reject(new Error(`waited ${seconds} s for ${what}; last seen: ${JSON.stringify(seen())}`)));
        const timer = setTimeout(late, seconds * 1000);
        const ticker = meanwhile && setInterval(() => (meanwhile(), check()), 500);
        watchers.add(check);
        check();
    });
}

async function acceptInvitation(member) {
    if (member.userId !== account.user || member.membership !== "invite") return;
    if (hubs.has(member.events.member?.getSender())) await client.joinRoom(member.roomId);
}

async function inRoom(id, members, timeout) {
    const there = () => {
        const room = client.getRoom(id);
        return (
            room?.getMyMembership() === "join" && encrypted(id) && members.every((user) => room.getMember(user)?.membership === "join")
        );
    };
    await until(there, timeout, `room ${id} with ${members.length} others, encrypted`);
}

const encrypted = (room) => client.getRoom(room)?.hasEncryptionStateEvent() ?? false;

function relation(thread, reply) {
    const answer = { "m.in_reply_to": { event_id: reply ?? thread } };
    return thread ? { rel_type: "m.thread", event_id: thread, is_falling_back: !reply, ...answer } : answer;
}

const relationOf = (event) => event.getWireContent()["m.relates_to"] ?? contentOf(event)["m.relates_to"] ?? {};

// As it was sent, not as a later edit made it.
const contentOf = (event) => (event.isRedacted() ? {} : (event.getClearContent() ?? event.getOriginalContent()));

const isMessage = (event) =>
    !event.isRedacted() &&
    !event.isBeingDecrypted() &&
    (event.isDecryptionFailure() || (event.getType() === "m.room.message" && "body" in contentOf(event)));

function bodyOf(event, edited = false) {
    if (event.isRedacted()) return "";
    if (event.isDecryptionFailure()) return `UNREADABLE: ${event.decryptionFailureReason}`;
    if (edited) return event.getContent().body;
    const content = contentOf(event);
    return content["m.new_content"]?.body ?? content.body;
}

async function shieldOf(event) {
    if (event.isDecryptionFailure()) return "unreadable";
    if (!event.isEncrypted()) return encrypted(event.getRoomId()) ? "clear" : null;
    const { shieldColour, shieldReason } = await client.getCrypto().getEncryptionInfoForEvent(event);
    return shieldColour === EventShieldColour.NONE ? null : (SHIELDS[shieldReason] ?? "UNNAMED");
}

async function describe(event, edited = false) {
    const relates = relationOf(event);
    const content = contentOf(event);
    const current = edited ? event.getContent() : (content["m.new_content"] ?? content);
    return {
        event_id: relates.rel_type === "m.replace" ? relates.event_id : event.getId(),
        room: event.getRoomId(),
        sender: event.getSender(),
        time: event.getTs(),
        body: bodyOf(event, edited),
        html: current.formatted_body ?? null,
        kind: current.msgtype ?? "",
        thread: relates.rel_type === "m.thread" ? relates.event_id : null,
        reply_to: relates["m.in_reply_to"]?.event_id ?? null,
        mentions: current["m.mentions"]?.user_ids ?? [],
        edits: relates.rel_type === "m.replace" || event.replacingEvent() ? 1 : 0,
        redacted: event.isRedacted(),
        shield: event.isRedacted() ? null : await shieldOf(event),
    };
}

const answer = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

for await (const line of createInterface({ input: process.stdin })) {
    const { id, method, params } = JSON.parse(line);
    // Not awaited: a wait of thirty seconds must not hold up a send.
    Promise.resolve()
        .then(() => methods[method](params ?? {}))
        .then((result) => answer({ id, result: result ?? null }))
        .catch((error) => answer({ id, error: `${method}: ${error?.message ?? error}` }));
}
process.exit(0);
