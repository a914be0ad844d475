namespace Post.Quic.Engine.Streams;

/// <summary>Flow-control frames of the connection that wait to be sent.</summary>
[Flags]
internal enum PendingConnectionFrames : byte
{
    None = 0,
    MaxData = 1,
    MaxStreamsBidirectional = 2,
    MaxStreamsUnidirectional = 4,
    DataBlocked = 8,
    StreamsBlockedBidirectional = 16,
    StreamsBlockedUnidirectional = 32,
}
