using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Tls.Messages;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls;

/// <summary>The quic_transport_parameters extension of a hello (RFC 9001 section 8.2).</summary>
internal static class TransportParametersExtension
{
    public static void Write(MessageWriter writer, ITlsHost host)
    {
        int extension = writer.BeginExtension(ExtensionType.QuicTransportParameters);
        Span<byte> parameters = stackalloc byte[Limits.MaxTransportParameters];
        var parametersWriter = new WireWriter(parameters);
        host.WriteTransportParameters(ref parametersWriter);
        writer.WriteBytes(parameters[..parametersWriter.Position]);
        writer.End(extension, 2);
    }
}
