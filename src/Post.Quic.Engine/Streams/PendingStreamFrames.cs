namespace Post.Quic.Engine.Streams;

/// <summary>Frames about a stream, other than its data, that wait to be sent.</summary>
[Flags]
internal enum PendingStreamFrames : byte
{
    None = 0,
    Reset = 1,
    StopSending = 2,
    MaxStreamData = 4,
    StreamDataBlocked = 8,
}
