using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Tests.Crypto;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Tests.Wire;

/// <summary>Transport parameters that each role may send.</summary>
internal static class TransportParameterSamples
{
    /// <summary>Everything a client can say, with no value at its default.</summary>
    public static TransportParameters Client { get; } = new()
    {
        MaxIdleTimeout = 30_000,
        MaxUdpPayloadSize = 1472,
        InitialMaxData = 1 << 24,
        InitialMaxStreamDataBidirectionalLocal = 1 << 20,
        InitialMaxStreamDataBidirectionalRemote = (1 << 20) + 1,
        InitialMaxStreamDataUnidirectional = (1 << 20) + 2,
        InitialMaxStreamsBidirectional = 100,
        InitialMaxStreamsUnidirectional = 1UL << 60,
        AckDelayExponent = 20,
        MaxAckDelay = (1 << 14) - 1,
        DisableActiveMigration = true,
        ActiveConnectionIdLimit = 8,
        InitialSourceConnectionId = new ConnectionId([1, 2, 3, 4]),
        VersionInformation = new VersionInformation(1, 0x6b3343cf, 1),
        MaxDatagramFrameSize = 65535,
        GreaseQuicBit = true,
        ResetStreamAt = true,
        MinAckDelay = 1000,
        InitialMaxPathId = uint.MaxValue,
    };

    /// <summary>And what only a server can.</summary>
    public static TransportParameters Server { get; } = Client with
    {
        OriginalDestinationConnectionId = new ConnectionId([9, 8, 7, 6, 5, 4, 3, 2]),
        StatelessResetToken = new StatelessResetToken([.. Enumerable.Range(0, 16).Select(i => (byte)i)]),
        PreferredAddress = new PreferredAddress(
            NetworkAddress.FromIPv4(0xc0000201, 443),
            NetworkAddress.FromBytes([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], 4433),
            new ConnectionId([5, 5, 5]),
            new StatelessResetToken([.. Enumerable.Range(16, 16).Select(i => (byte)i)])),
        RetrySourceConnectionId = new ConnectionId([7]),
    };

    public static byte[] Encode(TransportParameters parameters, ulong seed = 1)
    {
        var writer = new WireWriter(new byte[TransportParametersWriter.MaxLength]);
        TransportParametersWriter.Write(ref writer, parameters, new SeededRandomSource((int)seed));
        return writer.Written.ToArray();
    }
}
