using System.Net.Security;
using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The application_layer_protocol_negotiation extension (RFC 7301).</summary>
internal static class ProtocolNames
{
    public static bool TryRead(ReadOnlySpan<byte> body, out List<SslApplicationProtocol> protocols)
    {
        protocols = [];
        var outer = new WireReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> list) || !outer.IsEmpty || list.IsEmpty)
        {
            return false;
        }

        var reader = new WireReader(list);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadVector8(out ReadOnlySpan<byte> name) || name.IsEmpty)
            {
                return false;
            }

            if (protocols.Count < Limits.MaxApplicationProtocols)
            {
                protocols.Add(new SslApplicationProtocol(name.ToArray()));
            }
        }

        return true;
    }

    public static void Write(MessageWriter writer, IReadOnlyList<SslApplicationProtocol> protocols)
    {
        int extension = writer.BeginExtension(ExtensionType.ApplicationLayerProtocolNegotiation);
        int list = writer.Begin(2);
        foreach (SslApplicationProtocol protocol in protocols)
        {
            writer.WriteVector8(protocol.Protocol.Span);
        }

        writer.End(list, 2);
        writer.End(extension, 2);
    }
}
