namespace Post.Sockets.Protocol;

/// <summary>What an end can take besides what every end of post/1 can.</summary>
[Flags]
internal enum HelloFeatures : long
{
    None = 0,

    /// <summary>Objects may come as datagrams.</summary>
    DatagramObjects = 0x01,

    /// <summary>Post streams are welcome; without it each one would be refused.</summary>
    PostStreams = 0x02,

    /// <summary>Objects may begin at an offset, and may have durable ids.</summary>
    Offsets = 0x04,

    /// <summary>Objects name their antecedents also when those have had their receipt: they may still be at work on here.</summary>
    DeliveredAntecedents = 0x08,
}
