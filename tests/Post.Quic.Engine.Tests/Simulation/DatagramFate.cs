namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>What a test does to one particular datagram.</summary>
public enum DatagramFate
{
    Deliver,
    Drop,
    Duplicate,
    Truncate,
    Corrupt,

    /// <summary>Arrives, and again after a second.</summary>
    Replay,
}
