namespace Post.Quic.Engine.Tests.Endpoint;

/// <summary>
/// How much the tests over real sockets do: what a build server has the time for, or all of it with POST_QUIC_FULL=1.
/// </summary>
internal static class FullSize
{
    private static readonly bool IsWanted = Environment.GetEnvironmentVariable("POST_QUIC_FULL") == "1";

    public static long Or(long full, long usual) => IsWanted ? full : usual;
}
