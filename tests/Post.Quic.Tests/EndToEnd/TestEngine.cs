namespace Post.Quic.Tests.EndToEnd;

/// <summary>What may be at either end of a scenario.</summary>
public enum TestEngine
{
    /// <summary>The managed engine.</summary>
    Managed,

    /// <summary>System.Net.Quic with msquic's extras.</summary>
    MsQuic,

    /// <summary>The public API of System.Net.Quic alone: streams and nothing else.</summary>
    PlainMsQuic,
}
