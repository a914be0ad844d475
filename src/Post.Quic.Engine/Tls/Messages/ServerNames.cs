using System.Buffers;
using System.Text;
using Post.Quic.Engine.Tls.Alerts;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Tls.Messages;

/// <summary>The server_name extension (RFC 6066 section 3).</summary>
internal static class ServerNames
{
    private const byte HostName = 0;

    private static readonly SearchValues<byte> NameBytes =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"u8);

    public static TransportError Read(ReadOnlySpan<byte> body, out string name)
    {
        name = string.Empty;
        var outer = new WireReader(body);
        if (!outer.TryReadVector16(out ReadOnlySpan<byte> list) || !outer.IsEmpty || list.IsEmpty)
        {
            return TlsError.Decode("server_name is malformed.");
        }

        var reader = new WireReader(list);
        while (!reader.IsEmpty)
        {
            if (!reader.TryReadByte(out byte type) || !reader.TryReadVector16(out ReadOnlySpan<byte> bytes) || bytes.IsEmpty)
            {
                return TlsError.Decode("server_name is malformed.");
            }

            if (type != HostName)
            {
                continue;
            }

            // RFC 6066 section 3: one name of a type, ASCII, without a trailing dot. What goes on to the user's
            // callback holds no byte that could mean something to a log or a file system.
            if (name.Length != 0 || bytes.Length > 255 || bytes[^1] == (byte)'.' || bytes.ContainsAnyExcept(NameBytes))
            {
                return TlsError.Illegal("server_name holds no valid host name.");
            }

            name = Encoding.ASCII.GetString(bytes).ToLowerInvariant();
        }

        return default;
    }

    public static void Write(MessageWriter writer, string name)
    {
        int extension = writer.BeginExtension(ExtensionType.ServerName);
        int list = writer.Begin(2);
        writer.WriteByte(HostName);
        writer.WriteVector16(Encoding.ASCII.GetBytes(name));
        writer.End(list, 2);
        writer.End(extension, 2);
    }
}
