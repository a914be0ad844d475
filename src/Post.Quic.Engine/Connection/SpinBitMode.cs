namespace Post.Quic.Engine.Connection;

/// <summary>What the latency spin bit of 1-RTT packets carries (RFC 9000 section 17.4).</summary>
internal enum SpinBitMode : byte
{
    /// <summary>A random value a path, which is what the RFC asks of endpoints that do not spin.</summary>
    Random,

    /// <summary>Spins, so that an observer can measure the round-trip time; one connection in 16 does not.</summary>
    Spin,

    /// <summary>Always 0.</summary>
    Off,
}
