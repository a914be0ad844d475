using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Paths.Scheduling;
using Post.Quic.Engine.Tls.Certificates;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Udp;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine;

/// <summary>What a client and a server decide about a connection alike.</summary>
public abstract record QuicConnectionOptions
{
    /// <summary>The largest application error code (RFC 9000 section 20.2: a 62-bit number).</summary>
    public const long MaxErrorCode = (1L << 62) - 1;

    /// <summary>Less is no silence: acknowledgements take as long.</summary>
    private static readonly TimeSpan LeastPathIdleTimeout = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// SHA-256 hashes of public keys (SubjectPublicKeyInfo): where given, a peer that shows a certificate or a key proves itself by having
    /// one of them, and nothing else counts: no authority, no name, no date, no usage (RFC 7671 section 5.1), and no validation callback may
    /// stand beside them.
    /// </summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> PinnedPublicKeys { get; init; } = [];

    /// <summary>
    /// The key that this side proves to hold without a certificate (RFC 7250), to peers that take such keys; null, the default: none. A
    /// server may have certificates beside it, and shows what comes first in the client's order of preference; a client offers the key
    /// first. It belongs to the application.
    /// </summary>
    public QuicPrivateKey? PrivateKey { get; init; }

    /// <summary>
    /// What the peer may prove itself with, in order of preference; certificates alone by default. Where raw public keys are among it,
    /// <see cref="PinnedPublicKeys"/> or <see cref="RemotePublicKeyValidationCallback"/> judges them. A server takes them of clients where it
    /// asks for certificates (<see cref="System.Net.Security.SslServerAuthenticationOptions.ClientCertificateRequired"/>).
    /// </summary>
    public IReadOnlyList<QuicIdentityKind> PeerIdentityKinds { get; init; } = [QuicIdentityKind.Certificate];

    /// <summary>
    /// Decides by the key whether a peer that shows a raw public key is the one that is wanted; null, the default, where
    /// <see cref="PinnedPublicKeys"/> does. The peer has proven by then that it holds the key. It runs on a thread of the pool, outside of
    /// the connection; what it throws ends the handshake.
    /// </summary>
    public Func<QuicPublicKey, bool>? RemotePublicKeyValidationCallback { get; init; }

    /// <summary>Bidirectional streams that the peer may have open at a time; 100 by default, at most 2^60.</summary>
    public long MaxInboundBidirectionalStreams { get; init; } = 100;

    /// <summary>Unidirectional streams that the peer may have open at a time; 100 by default, at most 2^60.</summary>
    public long MaxInboundUnidirectionalStreams { get; init; } = 100;

    /// <summary>
    /// Bytes that the peer may send on all streams beyond what was read, at first; 1 MiB by default. It grows with the
    /// path's bandwidth and delay up to <see cref="MaxConnectionReceiveWindow"/>.
    /// </summary>
    public long InitialConnectionReceiveWindow { get; init; } = 1 << 20;

    /// <summary>Bytes that the peer may send on one stream beyond what was read, at first; 256 KiB by default.</summary>
    public long InitialStreamReceiveWindow { get; init; } = 256 << 10;

    /// <summary>To where the connection's window may grow: the memory one peer can make us hold; 24 MiB by default.</summary>
    public long MaxConnectionReceiveWindow { get; init; } = 24 << 20;

    /// <summary>To where a stream's window may grow; 16 MiB by default.</summary>
    public long MaxStreamReceiveWindow { get; init; } = 16 << 20;

    /// <summary>
    /// Silence after which the connection is given up; 30 s by default, infinite for never. The smaller of both sides'
    /// counts (RFC 9000 section 10.1).
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How often to ask for a sign of life in silence; infinite, the default, for never.</summary>
    public TimeSpan KeepAliveInterval { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>How long the handshake may take; 10 s by default.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The code that <see cref="QuicConnection.DisposeAsync"/> closes with; 0 by default.</summary>
    public long DefaultCloseErrorCode { get; init; }

    /// <summary>The code that <see cref="QuicStream.DisposeAsync"/> aborts unfinished directions with; 0 by default.</summary>
    public long DefaultStreamErrorCode { get; init; }

    /// <summary>Take datagrams (RFC 9221); true by default.</summary>
    public bool EnableDatagrams { get; init; } = true;

    /// <summary>
    /// The largest UDP payload that path MTU discovery tries; 65,527 by default (a loopback interface carries it; what a
    /// path carries is found out), at least 1200.
    /// </summary>
    public int MaxUdpPayloadSize { get; init; } = 65527;

    /// <summary>Prefer QUIC version 2 (RFC 9369) where the peer speaks it; false by default.</summary>
    public bool PreferVersion2 { get; init; }

    /// <summary>
    /// Use explicit congestion notification where the path carries it (RFC 9000 section 13.4); true by default.
    /// </summary>
    public bool EnableEcn { get; init; } = true;

    /// <summary>
    /// Paths that may be open at once, the first included; 1 to 8. 1, the default, does without multipath. Above that it is offered to the
    /// peer, and used if the peer offers it too (draft-ietf-quic-multipath-21); the smaller of both sides' numbers counts. Each further path
    /// costs memory for its connection ids. A client opens paths with <see cref="QuicConnection.OpenPathAsync"/>.
    /// </summary>
    public int MaxPaths { get; init; } = 1;

    /// <summary>
    /// Silence after which a path is given up while another works; infinite, the default, for never. Where the paths are kept alive
    /// (<see cref="KeepAliveInterval"/>), set a few times that interval: a path that is not used and does not answer is then found out. What
    /// is sent on a path that does not answer goes by others long before. At least 100 ms. Multipath only.
    /// </summary>
    public TimeSpan PathIdleTimeout { get; init; } = Timeout.InfiniteTimeSpan;

    /// <summary>
    /// Let an observer of the network measure the round trip by the spin bit of packets (RFC 9000 section 17.4); false by default: it then
    /// has a random value.
    /// </summary>
    public bool EnableSpinBit { get; init; }

    /// <summary>How what this side sends is spread over several paths; <see cref="QuicPathPolicy.Aggregate"/> by default.</summary>
    public QuicPathPolicy PathPolicy { get; init; }

    /// <summary>The congestion controller of what this side sends; <see cref="QuicCongestionControl.Auto"/> by default.</summary>
    public QuicCongestionControl CongestionControl { get; init; }

    /// <summary>
    /// The key exchange groups to offer or to take, in order of preference; those that this platform lacks are skipped.
    /// Null, the default: X25519, P-256, P-384. A client sends shares of the first and of the next that costs little; a
    /// server that wants another has it try again, which costs a round trip. To be safe from quantum computers of
    /// tomorrow, put <see cref="QuicKeyExchangeGroup.X25519MlKem768"/> first.
    /// </summary>
    public IReadOnlyList<QuicKeyExchangeGroup>? KeyExchangeGroups { get; init; }

    /// <summary>Who hears of what the connection pushes; null: nobody.</summary>
    public QuicConnectionEvents? Events { get; init; }

    /// <summary>
    /// Takes lines in the format of SSLKEYLOGFILE. Whoever reads them can decrypt the connection, so it is null unless
    /// you ask for it.
    /// </summary>
    public Action<string>? KeyLog { get; init; }

    /// <summary>
    /// A write completes when its bytes have been sent once, as soon as more waits to be sent on the connection than its path will soon take
    /// (a quarter of the congestion window, 4 KiB to 1 MiB). What is written late then stays with the application, which can still put
    /// something more urgent before it or give it up. Otherwise (the default) a write completes when its bytes were copied, up to 1 MiB a stream.
    /// </summary>
    public bool WritesCompleteWhenSent { get; init; }

    /// <summary>The engine's form of these options.</summary>
    /// <exception cref="ArgumentException">A value is out of its range; the message names it.</exception>
    internal ConnectionSettings ToSettings()
    {
        Validate();
        return new ConnectionSettings
        {
            Versions = PreferVersion2 ? [QuicVersion.Version2, QuicVersion.Version1] : [QuicVersion.Version1, QuicVersion.Version2],
            MaxIdleTimeout = Microseconds(IdleTimeout),
            KeepAliveInterval = Microseconds(KeepAliveInterval),
            HandshakeTimeout = Microseconds(HandshakeTimeout),
            InitialMaxData = (ulong)InitialConnectionReceiveWindow,
            InitialMaxStreamData = (ulong)InitialStreamReceiveWindow,
            MaxConnectionWindow = (ulong)MaxConnectionReceiveWindow,
            MaxStreamWindow = (ulong)MaxStreamReceiveWindow,
            MaxBidirectionalStreams = (ulong)MaxInboundBidirectionalStreams,
            MaxUnidirectionalStreams = (ulong)MaxInboundUnidirectionalStreams,
            MaxDatagramFrameSize = EnableDatagrams ? 65535UL : 0,
            MaxMtu = Math.Min(MaxUdpPayloadSize, UdpSocket.MaxBytesPerSend),
            Ecn = EnableEcn,
            MaxPaths = MaxPaths,
            PathIdleTimeout = Microseconds(PathIdleTimeout),
            SpinBit = EnableSpinBit,
            PathScheduler = SchedulerOf(PathPolicy),
            Congestion = AlgorithmOf(CongestionControl),
            Copies = PathPolicy == QuicPathPolicy.Redundant ? Limits.MaxPaths : 1,
        };
    }

    internal RawKeyRules ToKeyRules() => new()
    {
        Own = PrivateKey?.Credential,
        PeerTypes = [.. PeerIdentityKinds.Select(
            static kind => kind == QuicIdentityKind.RawPublicKey ? CertificateType.RawPublicKey : CertificateType.X509)],
        Callback = RemotePublicKeyValidationCallback is { } callback ? key => callback(new QuicPublicKey(key)) : null,
    };

    /// <summary>Refuses what is out of range.</summary>
    private protected virtual void Validate()
    {
        const long MaxStreams = 1L << 60;
        CheckRange(MaxInboundBidirectionalStreams, 0, MaxStreams, nameof(MaxInboundBidirectionalStreams));
        CheckRange(MaxInboundUnidirectionalStreams, 0, MaxStreams, nameof(MaxInboundUnidirectionalStreams));
        CheckRange(InitialConnectionReceiveWindow, 1, MaxErrorCode, nameof(InitialConnectionReceiveWindow));
        CheckRange(InitialStreamReceiveWindow, 1, MaxErrorCode, nameof(InitialStreamReceiveWindow));
        CheckRange(MaxConnectionReceiveWindow, 1, MaxErrorCode, nameof(MaxConnectionReceiveWindow));
        CheckRange(MaxStreamReceiveWindow, 1, MaxErrorCode, nameof(MaxStreamReceiveWindow));
        CheckRange(DefaultCloseErrorCode, 0, MaxErrorCode, nameof(DefaultCloseErrorCode));
        CheckRange(DefaultStreamErrorCode, 0, MaxErrorCode, nameof(DefaultStreamErrorCode));
        CheckRange(MaxUdpPayloadSize, Limits.MinInitialDatagram, 65527, nameof(MaxUdpPayloadSize));
        CheckRange(MaxPaths, 1, Limits.MaxPaths, nameof(MaxPaths));
        CheckNamed(PathPolicy, nameof(PathPolicy));
        CheckNamed(CongestionControl, nameof(CongestionControl));
        if (PeerIdentityKinds.Count == 0 || PeerIdentityKinds.Distinct().Count() != PeerIdentityKinds.Count || !PeerIdentityKinds.All(Enum.IsDefined))
        {
            throw new ArgumentException(
                $"PeerIdentityKinds is [{string.Join(", ", PeerIdentityKinds)}]; name at least one kind, and each once.", nameof(PeerIdentityKinds));
        }

        CheckDuration(IdleTimeout, nameof(IdleTimeout));
        CheckDuration(KeepAliveInterval, nameof(KeepAliveInterval));
        CheckDuration(HandshakeTimeout, nameof(HandshakeTimeout));
        if (PathIdleTimeout != Timeout.InfiniteTimeSpan && PathIdleTimeout < LeastPathIdleTimeout)
        {
            throw new ArgumentException(
                $"{nameof(PathIdleTimeout)} is {PathIdleTimeout}; set at least {LeastPathIdleTimeout}, or Timeout.InfiniteTimeSpan for none.",
                nameof(PathIdleTimeout));
        }
    }

    private static Func<IPathScheduler> SchedulerOf(QuicPathPolicy policy) => policy switch
    {
        QuicPathPolicy.Interactive => static () => new InteractiveScheduler(),
        QuicPathPolicy.Handover => static () => new BackupScheduler(),
        QuicPathPolicy.Redundant => static () => new RedundantScheduler(),
        QuicPathPolicy.MinimumRoundTrip => static () => new MinimumRoundTripScheduler(),
        _ => static () => new EarliestCompletionScheduler(),
    };

    private static CongestionAlgorithm AlgorithmOf(QuicCongestionControl control) => control switch
    {
        QuicCongestionControl.Cubic => CongestionAlgorithm.Cubic,
        QuicCongestionControl.Bbr => CongestionAlgorithm.Bbr,
        QuicCongestionControl.NewReno => CongestionAlgorithm.NewReno,
        _ => CongestionAlgorithm.Auto,
    };

    private static void CheckRange(long value, long least, long most, string name)
    {
        if (value < least || value > most)
        {
            throw new ArgumentException($"{name} is {value}; set it to a number from {least} to {most}.", name);
        }
    }

    private static void CheckNamed<T>(T value, string name)
        where T : struct, Enum
    {
        if (!Enum.IsDefined(value))
        {
            throw new ArgumentException($"{name} is {value}; set it to one of {string.Join(", ", Enum.GetNames<T>())}.", name);
        }
    }

    private static void CheckDuration(TimeSpan value, string name)
    {
        if (value <= TimeSpan.Zero && value != Timeout.InfiniteTimeSpan)
        {
            throw new ArgumentException($"{name} is {value}; set a positive time, or Timeout.InfiniteTimeSpan for none.", name);
        }
    }

    private static long Microseconds(TimeSpan value) =>
        value == Timeout.InfiniteTimeSpan ? long.MaxValue : (long)value.TotalMicroseconds;
}
