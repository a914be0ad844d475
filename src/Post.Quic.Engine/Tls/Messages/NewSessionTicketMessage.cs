using System.Buffers.Binary;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>A received NewSessionTicket (RFC 8446 section 4.6.1).</summary>
internal readonly ref struct NewSessionTicketMessage
{
    /// <summary>RFC 9001 section 4.6.1: the only size of early data that QUIC knows; flow control sets the real one.</summary>
    public const uint QuicEarlyData = 0xffffffff;

    public uint LifetimeSeconds { get; private init; }

    public uint AgeAdd { get; private init; }

    public ReadOnlySpan<byte> Nonce { get; private init; }

    public ReadOnlySpan<byte> Identity { get; private init; }

    public bool AllowsEarlyData { get; private init; }

    public static TransportError Parse(ReadOnlySpan<byte> message, out NewSessionTicketMessage ticket)
    {
        ticket = default;
        var reader = new WireReader(message[HandshakeAssembler.HeaderLength..]);
        if (!reader.TryReadUInt32(out uint lifetime) ||
            !reader.TryReadUInt32(out uint ageAdd) ||
            !reader.TryReadVector8(out ReadOnlySpan<byte> nonce) ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> identity) ||
            identity.IsEmpty ||
            !reader.TryReadVector16(out ReadOnlySpan<byte> block) ||
            !reader.IsEmpty)
        {
            return TlsError.Decode("The NewSessionTicket is malformed.");
        }

        TransportError error = ExtensionBlock.Parse(block, ExtensionPlace.NewSessionTicket, out ExtensionBlock extensions);
        if (error.IsError)
        {
            return error;
        }

        bool earlyData = extensions.TryFind(ExtensionType.EarlyData, out ReadOnlySpan<byte> body);
        if (earlyData)
        {
            if (body.Length != sizeof(uint))
            {
                return TlsError.Decode("early_data is malformed.");
            }

            // RFC 9001 section 4.6.1: any other value is a PROTOCOL_VIOLATION.
            if (BinaryPrimitives.ReadUInt32BigEndian(body) != QuicEarlyData)
            {
                return TlsError.Violation("max_early_data_size is not 0xffffffff.");
            }
        }

        ticket = new NewSessionTicketMessage
        {
            LifetimeSeconds = lifetime,
            AgeAdd = ageAdd,
            Nonce = nonce,
            Identity = identity,
            AllowsEarlyData = earlyData,
        };
        return default;
    }

    public static ReadOnlySpan<byte> Write(
        MessageWriter writer,
        uint lifetimeSeconds,
        uint ageAdd,
        ReadOnlySpan<byte> nonce,
        ReadOnlySpan<byte> identity,
        bool allowEarlyData)
    {
        int message = writer.BeginMessage(HandshakeType.NewSessionTicket);
        writer.WriteUInt32(lifetimeSeconds);
        writer.WriteUInt32(ageAdd);
        writer.WriteVector8(nonce);
        writer.WriteVector16(identity);
        int extensions = writer.Begin(2);
        if (allowEarlyData)
        {
            int extension = writer.BeginExtension(ExtensionType.EarlyData);
            writer.WriteUInt32(QuicEarlyData);
            writer.End(extension, 2);
        }

        writer.End(extensions, 2);
        return writer.EndMessage(message);
    }
}
