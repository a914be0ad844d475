namespace Post.Quic.Engine.Diagnostics;

/// <summary>What a packet's record says beside its numbers.</summary>
[Flags]
internal enum QlogPacketFlags : byte
{
    None = 0,

    /// <summary>The path it went or came by is known.</summary>
    HasPath = 1 << 0,

    /// <summary>Frames follow that could not be read, or for which a record is too small.</summary>
    Incomplete = 1 << 1,
}
