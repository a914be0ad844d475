namespace Post.Sockets.Transport;

/// <summary>
/// What a transport can do. Post asks before it relies on anything, and works around what is missing: an object
/// that would like to travel as a datagram goes as a stream, a reset that cannot carry the header is announced on
/// the control stream, and so on.
/// </summary>
[Flags]
public enum TransportCapabilities
{
    /// <summary>Reliable streams only, all of equal rank.</summary>
    None = 0,

    /// <summary>Unreliable datagrams whose fate is reported.</summary>
    Datagrams = 1 << 0,

    /// <summary>Streams are served by their <see cref="TransportPriority"/>.</summary>
    Priorities = 1 << 1,

    /// <summary>Paths are reported with measured properties, and their changes are pushed.</summary>
    Paths = 1 << 2,

    /// <summary>The client can move the connection to another local address.</summary>
    Migration = 1 << 3,

    /// <summary>Several paths carry data at the same time.</summary>
    Multipath = 1 << 4,

    /// <summary>Sessions are resumed from the Local's session cache.</summary>
    Resumption = 1 << 5,

    /// <summary>Data can be sent before the handshake is complete.</summary>
    EarlyData = 1 << 6,

    /// <summary>A reset stream still delivers a prefix (RESET_STREAM_AT).</summary>
    ReliableReset = 1 << 7,

    /// <summary>
    /// A write completes when its bytes were sent for the first time. Without it, a write is taken to complete when the
    /// peer acknowledged it, so more must be kept under way to fill the path.
    /// </summary>
    WritesCompleteWhenSent = 1 << 8,

    /// <summary>The connection reports statistics (round-trip time, congestion window).</summary>
    Statistics = 1 << 9,

    /// <summary>
    /// What fits into one packet goes out as a whole stream in one call (<see cref="TransportConnection.TrySendStream"/>) and comes in as one
    /// event (<see cref="TransportEvents.OnStreamReceived"/>).
    /// </summary>
    WholeStreams = 1 << 10,
}
