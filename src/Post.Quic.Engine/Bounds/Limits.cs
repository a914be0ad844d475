namespace Post.Quic.Engine.Bounds;

/// <summary>
/// Every cap of the engine, each with its reason and the attack that it stops. What a user may set stands in the
/// options; what stands here holds whatever the options say.
/// </summary>
internal static class Limits
{
    /// <summary>
    /// Entries the log of sent frames keeps while nothing is in flight. Larger rings go back to the pool, so that
    /// 10,000 connections that were busy once do not hold what one busy connection needs.
    /// </summary>
    public const int SentFramesKeptWhenIdle = 4096;

    /// <summary>Entries the ring of sent packets keeps while nothing is in flight; the reason is the same.</summary>
    public const int SentPacketsKeptWhenIdle = 2048;

    /// <summary>
    /// Length of the ring of sent packets of one space, settled ones behind an outstanding one included: some 9 MiB at
    /// most. Beyond it sending waits. A peer that acknowledges just enough to open the window and then falls silent
    /// makes us remember no more than this; a path of 10 Gbit/s and 150 ms fits in.
    /// </summary>
    public const int SentPackets = 128 * 1024;

    /// <summary>
    /// Frames on their way in one space; beyond it sending waits. Many tiny frames in each packet must not cost more
    /// memory than the packets themselves: some 8 MiB at most.
    /// </summary>
    public const int SentFrames = 256 * 1024;

    /// <summary>
    /// Packets without ack-eliciting frames that are remembered: they only tell us which of our ACKs arrived, and a
    /// peer that never answers our PINGs must not make us remember every ACK we sent.
    /// </summary>
    public const int SentAckOnlyPackets = 1024;

    /// <summary>
    /// The congestion window: what a peer that acknowledges everything at once can make us send blindly, and with it
    /// what we buffer for retransmission. 10 Gbit/s at 100 ms.
    /// </summary>
    public const long CongestionWindow = 128L * 1024 * 1024;

    /// <summary>
    /// Bytes a second beyond which pacing counts no finer: 8 Tbit/s. It only keeps the arithmetic far from overflow
    /// where the round trip is a few microseconds and the window is large.
    /// </summary>
    public const long PacingRate = 1L << 40;

    /// <summary>
    /// How far the packet threshold of loss detection adapts to reordering: a peer that reorders its own
    /// acknowledgements must not put loss detection off for ever.
    /// </summary>
    public const int ReorderingThreshold = 256;

    /// <summary>
    /// Doublings of the probe timeout: an hour and more, so that only the idle timeout ends the wait, and no overflow.
    /// </summary>
    public const int ProbeTimeoutDoublings = 16;

    /// <summary>
    /// Ranges of received packet numbers that are kept and acknowledged, the newest first (RFC 9000 section 13.2.3). A
    /// peer that leaves a gap after every packet must not make us remember or write more.
    /// </summary>
    public const int AckRanges = 64;

    /// <summary>
    /// Microseconds that a timer may be late before the time counts as one in which the process did not run: a laptop that slept for
    /// an hour has no round trip of an hour. A machine under load is late by tenths of a second.
    /// </summary>
    public const long LongestStall = 1_000_000;

    /// <summary>
    /// Packets that we ask the peer to answer with one acknowledgement: above it nothing is saved any more, and each
    /// acknowledgement would free so much of the window at once that pacing has to break it up.
    /// </summary>
    public const int PacketsPerAck = 32;

    /// <summary>
    /// The longest delay of acknowledgements that ACK_FREQUENCY can ask for, in microseconds: the largest value
    /// max_ack_delay may have (RFC 9000 section 18.2). More would stop a sender's own window.
    /// </summary>
    public const ulong RequestedAckDelay = 16_383_000;

    /// <summary>
    /// Packet numbers below the largest received in which a duplicate is told from a late packet; what is older is
    /// dropped unread. Half a KiB a connection, and more reordering than any path has.
    /// </summary>
    public const int DuplicateWindow = 4096;

    /// <summary>The same while the handshake lasts, when few packets are on their way.</summary>
    public const int HandshakeDuplicateWindow = 512;

    /// <summary>
    /// Out-of-order pieces of one stream that cost nothing (CVE-2026-25800: tiny gapped STREAM frames). More must be
    /// earned with <see cref="StreamBytesPerExtraFragment"/>, so that bookkeeping stays a fraction of the data.
    /// </summary>
    public const int StreamFragments = 1024;

    /// <summary>
    /// Out-of-order bytes that earn one piece more. Honest senders fill packets of 1200 bytes and more, so a lossy
    /// path of any length stays far below the cap.
    /// </summary>
    public const int StreamBytesPerExtraFragment = 512;

    /// <summary>
    /// CRYPTO bytes accepted beyond what TLS has read (CVE-2024-1765; RFC 9000 section 7.5 asks for at least 4096). A
    /// chain of nine large certificates fits.
    /// </summary>
    public const int CryptoBytesAhead = 64 * 1024;

    /// <summary>Out-of-order pieces of CRYPTO data of one level: a flight has at most this many packets in 64 KiB.</summary>
    public const int CryptoFragments = 128;

    /// <summary>
    /// Memory an assembler may hold beyond twice the bytes in it before it packs them: small pieces that outlive
    /// their neighbours must not pin whole blocks.
    /// </summary>
    public const int AssemblerSlack = 32 * 1024;

    /// <summary>
    /// Blocks, segments and stream states of each kind that a connection keeps for reuse (some 100 bytes each, without
    /// their arrays): enough for steady churn, and nothing that a burst of streams leaves behind for good.
    /// </summary>
    public const int PooledStreamObjects = 1024;

    /// <summary>
    /// Bytes of stream blocks, of each of seven sizes, that the process keeps for streams that will need them. What more a
    /// burst took goes back to the garbage collector.
    /// </summary>
    public const int PooledBlockBytes = 16 << 20;

    /// <summary>
    /// The longest stream that is sent in one call or handed over as a whole: one block. Longer ones are worth an object of their own, and
    /// what waits for a listener stays small.
    /// </summary>
    public const int WholeStreamBytes = 16 * 1024;

    /// <summary>
    /// Bytes of whole streams that may always wait to be sent: what one call of the system takes. With less, a sender that is faster than
    /// its thread is woken could never fill a window, nor make it grow.
    /// </summary>
    public const long LeastWholeUnsent = 64 * 1024;

    /// <summary>Places for streams that arrived and are to be handed over that a connection keeps; more are for one burst only.</summary>
    public const int ArrivedStreamsKept = 16;

    /// <summary>
    /// Bytes of events that wait for a listener that is busy, beyond which packets are dropped, before they are acknowledged, as a full
    /// socket would drop them. Streams are held by flow control before that: those that wait count against the peer's limits.
    /// </summary>
    public const int WaitingEventBytes = 1 << 20;

    /// <summary>The same as a number of them: tiny datagrams cost more than their bytes.</summary>
    public const int WaitingEvents = 16 * 1024;

    /// <summary>Batches of events that the process keeps for the next: a thread uses one or two, and the largest has less than a megabyte.</summary>
    public const int PooledEventBatches = 16;

    /// <summary>
    /// Bytes that are sent on the caller's thread, where little is on its way: there is nothing to gather them with. More is left to the
    /// thread pool, and the caller goes on.
    /// </summary>
    public const long SentByCaller = 16 * 1024;

    /// <summary>
    /// Microseconds without traffic after which a connection gives back what only traffic needs. Longer than packets are late, and than
    /// most round trips.
    /// </summary>
    public const long TimeToRest = 1_000_000;

    /// <summary>
    /// Microseconds since the last packet after which it is sent on the caller's thread even while packets are on their way: at that pace
    /// waiting for more gathers nothing.
    /// </summary>
    public const long QuietTime = 500;

    /// <summary>
    /// Streams that the peer reset before their end and that give their credit back at once; after those,
    /// <see cref="AbortedStreamsPerSecond"/>. Opening and resetting streams costs the peer a few bytes and us the
    /// start of whatever the application does for a stream (HTTP/2 knows it as rapid reset, CVE-2023-44487).
    /// </summary>
    public const int AbortedStreamBurst = 2000;

    /// <summary>The pace at which credit for more aborted streams comes back. Streams that end well are not paced.</summary>
    public const int AbortedStreamsPerSecond = 2000;

    /// <summary>
    /// The round trip that window growth assumes at least, in microseconds: on a local network the application's own
    /// scheduling takes longer than the wire, and a window must cover both.
    /// </summary>
    public const long WindowTuningRoundTrip = 2_000;

    /// <summary>
    /// Datagrams suspected lost whose late acknowledgement is still waited for; beyond them the oldest is given up, so
    /// that a peer that acknowledges nothing cannot make us remember all we ever sent.
    /// </summary>
    public const int SuspectedDatagrams = 1024;

    /// <summary>
    /// Connection ids that either side holds of the other at once. Eight serve four paths with a spare each; every
    /// one more is an entry in the endpoint's routing table that a peer can make us hold.
    /// </summary>
    public const int MaxActiveConnectionIds = 8;

    /// <summary>
    /// RETIRE_CONNECTION_ID frames that are not acknowledged (CVE-2024-22189, CVE-2024-1410: NEW_CONNECTION_ID with a
    /// rising Retire Prior To from a peer that acknowledges nothing). RFC 9000 section 5.1.2 asks for twice the limit
    /// of active ids at least.
    /// </summary>
    public const int MaxPendingRetirements = 4 * MaxActiveConnectionIds;

    /// <summary>
    /// Answers to PATH_CHALLENGE that wait on one path (CVE-2023-49295, CVE-2023-6193: challenges faster than the
    /// congestion window lets answers out). The newest replace the oldest; an honest peer has one or two out.
    /// </summary>
    public const int MaxPendingPathResponses = 4;

    /// <summary>Bytes that may wait to be sent before writes wait with them: a few packets, so that there is always one to send.</summary>
    public const long LeastUnsent = 4 * 1024;

    /// <summary>The same at most: what the fastest path sends before a writer is awake again.</summary>
    public const long MostUnsent = 1024 * 1024;

    /// <summary>
    /// Validations with 1200 bytes that a path with a proven address may fail in a row. Each lasts three probe timeouts;
    /// a path that loses one datagram in three passes all but always, and one that is too small is given up.
    /// </summary>
    public const int MaxFailedSizeProofs = 8;

    /// <summary>How often the time between challenges doubles on a path that is silent (RFC 9000 section 8.2.1 asks not to send them
    /// more often than an Initial packet would be).</summary>
    public const int MaxSilentValidations = 6;

    /// <summary>Bytes of an unpadded challenge and an answer: the longest short header, two frames and the tag.</summary>
    public const int PathProbeReserve = 64;

    /// <summary>
    /// Paths that a connection has at once, those given up lately among them: each has a packet-number space, recovery, a congestion
    /// controller and connection ids in the endpoint's table.
    /// </summary>
    public const int MaxPaths = 8;

    /// <summary>
    /// Microseconds that each of the probe timeouts counts at most after which a silent path is left for another, unless its newest round
    /// trip was longer: what was measured in a slow handshake can say seconds, and nothing may be held up for longer than one.
    /// </summary>
    public const long LongestSilentTimeout = 200_000;

    /// <summary>
    /// Packets that wait to be sent again by another path: what does not fit into its window within so many packets is late anyway, and
    /// each holds the memory of a datagram.
    /// </summary>
    public const int WaitingCopies = 32;

    /// <summary>
    /// Connection ids given for a path that is not used yet: one to open it with, and one more for a NAT that rebinds meanwhile.
    /// </summary>
    public const int ConnectionIdsOfUnusedPath = 2;

    /// <summary>
    /// Networks that a path keeps at once, the active one included: a peer (or whoever rewrites its source address)
    /// adds one by sending from a new address.
    /// </summary>
    public const int MaxNetworks = 6;

    /// <summary>
    /// ICMP messages that are looked at a second, for each socket. Each asks all connections of the endpoint whether it is about them; who
    /// forges them by the thousand buys nothing, and an honest one says the same again.
    /// </summary>
    public const int UdpErrorsPerSecond = 100;

    /// <summary>
    /// Probe timeouts in a row after which a client asks the machine for another way to the server. One happens at the tail of any
    /// burst that is lost; at the second, four round trips or so have passed in silence.
    /// </summary>
    public const int ProbeTimeoutsBeforeRouteSearch = 2;

    /// <summary>
    /// Sockets that a client keeps open behind it for late packets. One that moves faster than they come gives the oldest back
    /// early, and what still came to it is sent again: descriptors are scarcer than retransmissions.
    /// </summary>
    public const int MaxLeftSockets = 4;

    /// <summary>
    /// Packets kept until their keys are there, all levels together. A server's flight behind a lost Initial, or early
    /// data ahead of its ClientHello; more is what an attacker would have us hold.
    /// </summary>
    public const int MaxUndecryptablePackets = 24;

    /// <summary>Bytes of those packets.</summary>
    public const int MaxUndecryptableBytes = 32 * 1024;

    /// <summary>Microseconds that such a packet is kept: longer than any handshake step that succeeds.</summary>
    public const long MaxUndecryptableAge = 3_000_000;

    /// <summary>
    /// Datagrams in one batch: Linux takes 64 segments a call before 6.6, and 64 KiB in all (UDP_MAX_SEGMENTS).
    /// </summary>
    public const int MaxSegments = 64;

    /// <summary>
    /// Packets that may fail authentication before the connection closes has the AEAD's limit; this many may be
    /// unreadable in one datagram before the rest of it is ignored (a datagram full of 21-byte packets costs a key
    /// schedule's worth of header protection each).
    /// </summary>
    public const int MaxPacketsPerDatagram = 8;

    /// <summary>A reason phrase of the peer's that is kept; a close can bring 64 KiB of it.</summary>
    public const int MaxCloseReason = 256;

    /// <summary>A token that a client stores; larger ones would fill its Initial packets.</summary>
    public const int MaxTokenLength = 512;

    /// <summary>
    /// Unknown transport parameters that are compared with each other to find duplicates. The rest, of an extension
    /// with up to 64 KiB of them, is passed over: comparing all with all would be work in the square of what was sent.
    /// </summary>
    public const int UnknownTransportParametersCompared = 32;

    /// <summary>
    /// Paths whose key-phase boundaries a connection remembers. More would let a peer that opens and abandons paths grow
    /// our memory; fewer than there are live paths only loses a check of RFC 9001 section 6.4.
    /// </summary>
    public const int PathsInKeyPhaseLog = 16;

    /// <summary>
    /// Life of a Retry token: the client uses it one round trip later. Longer, and tokens collected from spoofed addresses
    /// could be spent in one flood (RFC 9000 section 8.1.4). It bounds the life of the key that sealed them too.
    /// </summary>
    public const long RetryTokenLifetimeMicroseconds = 30_000_000;

    /// <summary>
    /// Tokens of NEW_TOKEN frames remembered as used, in each of two generations: about 2 MiB. When they are full,
    /// further tokens are refused, which costs an honest client a Retry and a flood of replays nothing but that
    /// (RFC 9000 section 8.1.4).
    /// </summary>
    public const int UsedTokensRemembered = 32768;

    /// <summary>
    /// The largest TLS message (CVE-2023-39321, CVE-2023-39322: endless or partial messages). It is judged by its header
    /// before its body is awaited. A chain of nine large certificates fits.
    /// </summary>
    public const int MaxTlsMessage = 64 * 1024;

    /// <summary>
    /// Handshake bytes that wait while a message is incomplete or while an answer from outside (options, a certificate's
    /// validation) is awaited: the largest message and what may follow it.
    /// </summary>
    public const int MaxTlsBuffered = 2 * MaxTlsMessage;

    /// <summary>
    /// Extensions in one TLS message: each costs a comparison with all before it, so that more would let a small
    /// message buy much work. Browsers send about twenty.
    /// </summary>
    public const int MaxTlsExtensions = 64;

    /// <summary>
    /// Application protocols of a ClientHello that are looked at: each becomes an object of some 60 bytes, and two bytes on
    /// the wire name one.
    /// </summary>
    public const int MaxApplicationProtocols = 64;

    /// <summary>Certificates in a peer's chain: each is parsed, and X509Chain tries combinations of them.</summary>
    public const int MaxCertificateChain = 16;

    /// <summary>
    /// Parsed certificates kept for when they come again, in all the process: a server's clients could show ever new ones.
    /// </summary>
    public const int CertificatesRemembered = 64;

    /// <summary>The longest certificate that is kept: with what the platform makes of it, a megabyte or two in all.</summary>
    public const int MaxCertificateRemembered = 4096;

    /// <summary>Names of certificate authorities remembered from a CertificateRequest; they are only hints.</summary>
    public const int MaxCertificateAuthorities = 256;

    /// <summary>
    /// Tickets of one ClientHello that a server tries to open: each costs an AEAD operation. Clients offer one or two.
    /// </summary>
    public const int MaxPskIdentities = 4;

    /// <summary>
    /// How long sessions may be resumed, one from another, before certificates must be shown again: one that was revoked
    /// meanwhile would live on in tickets (RFC 8446 section 4.6.1 gives one ticket as long at most).
    /// </summary>
    public static readonly TimeSpan MaxSessionAge = TimeSpan.FromDays(7);

    /// <summary>Tickets a client takes from one connection: a server can send them without end.</summary>
    public const int MaxSessionTickets = 16;

    /// <summary>
    /// A client's certificate that a ticket may carry: with it a ClientHello still fits a few packets. Longer ones are
    /// served without tickets.
    /// </summary>
    public const int MaxCertificateInTicket = 4096;

    /// <summary>Bytes for our own transport parameters in a hello: all known ones and several GREASE ones fit.</summary>
    public const int MaxTransportParameters = 1024;

    /// <summary>
    /// Early-data hellos remembered against replay (32 bytes each) within one window: beyond them early data is
    /// refused, which costs a round trip and nothing else.
    /// </summary>
    public const int MaxReplayEntries = 64 * 1024;

    /// <summary>RFC 9000 section 14.1: what begins a connection fills a datagram of this size, or is not answered.</summary>
    public const int MinInitialDatagram = 1200;

    /// <summary>RFC 9000 section 7.2: a client's first destination id must be unpredictable.</summary>
    public const int MinInitialConnectionId = 8;

    /// <summary>RFC 9000 section 10.3: 5 bytes that look like a short header, and the token.</summary>
    public const int MinStatelessReset = 21;

    /// <summary>More bytes in a reset where its trigger has room: a bare minimum would tell observers what it is.</summary>
    public const int StatelessResetPadding = 20;

    /// <summary>
    /// Version Negotiation, stateless resets and refusals of tokens that an endpoint sends a second, of each kind: spoofed
    /// packets make us send no more than that to anyone (RFC 9000 sections 6.1 and 10.3.3).
    /// </summary>
    public const int StatelessResponsesPerSecond = 1000;

    /// <summary>
    /// Retry packets a second. Higher, because under a flood it is what lets honest clients through; each costs one
    /// AEAD call and is answered only if the address is real.
    /// </summary>
    public const int RetriesPerSecond = 50_000;

    /// <summary>
    /// Receive buffers of 64 KiB that the process keeps for later: 8 MiB. A flood that made receivers hold more gives the
    /// rest back to the garbage collector.
    /// </summary>
    public const int PooledReceiveBuffers = 128;

    /// <summary>A trace's buffer: below this it would hold hardly more than one burst.</summary>
    public const int MinTraceBuffer = 16 * 1024;

    /// <summary>A trace's buffer is held for each connection that is traced.</summary>
    public const int MaxTraceBuffer = 64 * 1024 * 1024;
}
