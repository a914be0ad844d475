namespace Post.Sockets.Testing;

/// <summary>A piece of a stream, or a datagram, inside a packet. What a real transport would encode is here simply referred to.</summary>
internal struct PacketFrame
{
    /// <summary>The sending half that it belongs to; null for a datagram.</summary>
    public InMemorySendHalf? Stream;

    /// <summary>Where in the stream; for a datagram, the sender's token.</summary>
    public long Offset;

    /// <summary>Where in the packet's bytes.</summary>
    public int Start;

    public int Length;

    public bool IsEnd;
}
