namespace Post.Quic.Testing.Mutations;

/// <summary>What is spoiled: each room is run by the tests that <see cref="MutatesAttribute"/> marks.</summary>
internal enum MutationRoom
{
    /// <summary>Frames of QUIC, read and written again.</summary>
    Frames,

    /// <summary>Datagrams of all packet types, split.</summary>
    Datagrams,

    /// <summary>The extension of TLS that carries QUIC's transport parameters.</summary>
    TransportParameters,

    /// <summary>Frames spoiled before they were sealed under true keys, into a connection.</summary>
    SealedFrames,

    /// <summary>TLS messages of all types, parsed.</summary>
    TlsMessages,

    /// <summary>Certificates, parsed and judged.</summary>
    Certificates,

    /// <summary>Public keys without certificates, parsed and judged.</summary>
    RawKeys,

    /// <summary>First messages of clients, answered by a server.</summary>
    ClientHellos,

    /// <summary>A message of a handshake, in every state of both sides.</summary>
    Handshakes,

    /// <summary>Headers of post/1's objects.</summary>
    PostObjects,

    /// <summary>Control streams of post/1.</summary>
    PostControl,

    /// <summary>Headers of post/1's streams.</summary>
    PostStreams,

    /// <summary>Tickets with a peer's key and addresses, with and without the right checksum.</summary>
    RemoteTickets,
}
