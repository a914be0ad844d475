namespace Post.Quic.Engine.Endpoint;

/// <summary>What is to be done with a datagram.</summary>
internal enum RouteKind : byte
{
    /// <summary>Nothing.</summary>
    Drop,

    /// <summary>It belongs to a connection.</summary>
    Deliver,

    /// <summary>It is answered by the endpoint itself; the answer is in the buffer.</summary>
    Respond,

    /// <summary>It is a client's first packet and may become a connection.</summary>
    Accept,
}
