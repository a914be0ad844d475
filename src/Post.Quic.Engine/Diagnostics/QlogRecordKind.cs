namespace Post.Quic.Engine.Diagnostics;

/// <summary>What a record in a trace's ring tells.</summary>
internal enum QlogRecordKind : byte
{
    PacketSent,
    PacketReceived,
    PacketDropped,
    PacketLost,
    Metrics,
    Keys,
    Path,
    ConnectionId,
    Parameters,
    Phase,
    Closed,
    Version,
    Alpn,

    /// <summary>So many events found no room before this one.</summary>
    EventsLost,
}
