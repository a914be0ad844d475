using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Streams;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Connection;

/// <summary>Turns settings into the transport parameters that announce them, and back into what other rooms ask for.</summary>
internal static class ParameterFactory
{
    private const long MicrosecondsPerMillisecond = 1000;

    /// <summary>What we announce, but for what belongs to a single connection.</summary>
    public static TransportParameters Create(ConnectionSettings settings) => new()
    {
        MaxIdleTimeout = settings.MaxIdleTimeout == long.MaxValue
            ? 0
            : (ulong)Math.Max(1, settings.MaxIdleTimeout / MicrosecondsPerMillisecond),
        MaxUdpPayloadSize = (ulong)settings.MaxUdpPayloadSize,
        InitialMaxData = settings.InitialMaxData,
        InitialMaxStreamDataBidirectionalLocal = InitialStreamData(settings),
        InitialMaxStreamDataBidirectionalRemote = InitialStreamData(settings),
        InitialMaxStreamDataUnidirectional = InitialStreamData(settings),
        InitialMaxStreamsBidirectional = settings.MaxBidirectionalStreams,
        InitialMaxStreamsUnidirectional = settings.MaxUnidirectionalStreams,
        MaxAckDelay = (ulong)(settings.MaxAckDelay / MicrosecondsPerMillisecond),
        DisableActiveMigration = settings.DisableActiveMigration,
        ActiveConnectionIdLimit = Math.Min(settings.ActiveConnectionIdLimit, Limits.MaxActiveConnectionIds),
        MaxDatagramFrameSize = settings.MaxDatagramFrameSize,
        GreaseQuicBit = settings.GreaseQuicBit,
        ResetStreamAt = true,
        MinAckDelay = MinAckDelay,
    };

    /// <summary>A stream's credit beyond the connection's would lead a peer astray that goes by the stream's alone.</summary>
    private static ulong InitialStreamData(ConnectionSettings settings) => Math.Min(settings.InitialMaxStreamData, settings.InitialMaxData);

    /// <summary>
    /// What a server's session tickets are bound to (RFC 9000 section 7.4.1): with other settings, early data under an
    /// old ticket is refused, since the client still goes by the old limits.
    /// </summary>
    public static byte[] EarlyDataContext(ConnectionSettings settings)
    {
        Span<byte> buffer = stackalloc byte[RememberedParameters.MaxLength];
        var writer = new WireWriter(buffer);
        new RememberedParameters(Create(settings)).Write(ref writer);
        return writer.Written.ToArray();
    }

    /// <summary>The extensions whose frames the peer may send, because we announced them.</summary>
    public static FrameExtensions Extensions(ConnectionSettings settings) =>
        (settings.MaxDatagramFrameSize > 0 ? FrameExtensions.Datagram : FrameExtensions.None)
        | FrameExtensions.ResetStreamAt
        | FrameExtensions.AckFrequency;

    public static StreamCredits Credits(TransportParameters parameters) => new(
        parameters.InitialMaxData,
        parameters.InitialMaxStreamDataBidirectionalLocal,
        parameters.InitialMaxStreamDataBidirectionalRemote,
        parameters.InitialMaxStreamDataUnidirectional,
        parameters.InitialMaxStreamsBidirectional,
        parameters.InitialMaxStreamsUnidirectional);

    /// <summary>The shortest acknowledgement delay a peer may ask of us (ACK_FREQUENCY): a timer's resolution.</summary>
    private const ulong MinAckDelay = 1000;
}
