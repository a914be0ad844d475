using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Crypto;
using Post.Quic.Engine.Crypto.Providers;
using Post.Quic.Engine.Tls;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tests.Simulation;

/// <summary>What a simulated pair is made of.</summary>
internal sealed record PairOptions
{
    public ulong Seed { get; init; } = 1;

    /// <summary>A multiple of a second, so that periods of the network start with the pair.</summary>
    public long Start { get; init; } = 1_000_000_000;

    public ConnectionSettings Client { get; init; } = ConnectionSettings.Default;

    public ConnectionSettings Server { get; init; } = ConnectionSettings.Default;

    public TlsClientOptions? ClientTls { get; init; }

    public TlsServerOptions? ServerTls { get; init; }

    /// <summary>Instead of TLS, for tests that need many connections and no security.</summary>
    public bool StandInTls { get; init; }

    /// <summary>With the stand-in: what becomes of the client's transport parameters.</summary>
    public Func<byte[], byte[]>? SpoilParameters { get; init; }

    /// <summary>With the stand-in: what becomes of the server's.</summary>
    public Func<byte[], byte[]>? SpoilServerParameters { get; init; }

    /// <summary>The server asks for proof of the address first.</summary>
    public bool Retry { get; init; }

    public byte[] Token { get; init; } = [];

    public ConnectionId FirstDestination { get; init; }

    public byte[] RememberedParameters { get; init; } = [];

    public int ClientIdLength { get; init; } = 8;

    public int ServerIdLength { get; init; } = 8;

    public CryptoProvider Crypto { get; init; } = CryptoProviderFactory.Default;

    public NetworkAddress PreferredAddress { get; init; }

    /// <summary>Datagrams in one batch at most.</summary>
    public int BatchBytes { get; init; } = 64 * 1024;

    public ConnectionTrace? ClientTrace { get; init; }

    public ConnectionTrace? ServerTrace { get; init; }
}
