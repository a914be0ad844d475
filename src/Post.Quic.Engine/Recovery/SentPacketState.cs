namespace Post.Quic.Engine.Recovery;

/// <summary>Where a packet number stands in the ring of sent packets.</summary>
internal enum SentPacketState : byte
{
    /// <summary>A number that was skipped on purpose: nobody may acknowledge it.</summary>
    Skipped,

    /// <summary>Sent, and neither acknowledged nor lost.</summary>
    Outstanding,

    /// <summary>Acknowledged; the entry waits for its turn to leave the ring.</summary>
    Acked,

    /// <summary>Lost or forgotten; likewise.</summary>
    Lost,
}
