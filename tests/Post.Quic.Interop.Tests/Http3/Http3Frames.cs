using System.Text;

namespace Post.Quic.Interop.Tests.Http3;

/// <summary>
/// As much of HTTP/3 (RFC 9114) as a request and its response need: an empty SETTINGS, HEADERS out of QPACK's static
/// table and literals without Huffman coding (RFC 9204), DATA.
/// </summary>
internal static class Http3Frames
{
    public const long ControlStream = 0x00;
    public const long PushStream = 0x01;

    private const long Data = 0x00;
    private const long Headers = 0x01;
    private const long Settings = 0x04;

    // RFC 9204 section 4.5: no dynamic table, so the prefix is two zeros; 0xC0 is an indexed field of the static table,
    // 0x50 a literal value with a name from there.
    private const byte Indexed = 0xC0;
    private const byte NamedLiteral = 0x50;
    private const byte Authority = 0;
    private const byte PathName = 1;
    private const byte MethodGet = 17;
    private const byte MethodPost = 20;
    private const byte SchemeHttps = 23;
    private const byte Status200 = 25;

    /// <summary>How the control stream of either side begins (RFC 9114 section 6.2.1).</summary>
    public static byte[] ControlStreamStart => [(byte)ControlStream, (byte)Settings, 0];

    public static byte[] Request(string path, ReadOnlyMemory<byte>? body)
    {
        using var fields = new MemoryStream();
        fields.Write([0, 0, (byte)(Indexed | (body is null ? MethodGet : MethodPost)), Indexed | SchemeHttps]);
        WriteLiteral(fields, Authority, "localhost");
        WriteLiteral(fields, PathName, path);
        return Message(fields.ToArray(), body);
    }

    public static byte[] Response(ReadOnlyMemory<byte> body) => Message([0, 0, Indexed | Status200], body);

    /// <summary>Checks that a message is HEADERS and DATA.</summary>
    /// <returns>The header block and the body.</returns>
    public static (byte[] Headers, byte[] Body) Parse(ReadOnlySpan<byte> message)
    {
        byte[] headers = [];
        using var body = new MemoryStream();
        while (!message.IsEmpty)
        {
            long type = ReadVarInt(ref message);
            int length = (int)ReadVarInt(ref message);
            if (type == Data)
            {
                Assert.AreNotEqual(0, headers.Length, "DATA before HEADERS.");
                body.Write(message[..length]);
            }
            else if (type == Headers && headers.Length == 0)
            {
                headers = message[..length].ToArray();
            }

            message = message[length..];
        }

        return (headers, body.ToArray());
    }

    /// <summary>Whether a header block without the dynamic table says ":status: 200" first.</summary>
    public static bool IsSuccess(ReadOnlySpan<byte> headers) => headers is [0, 0, Indexed | Status200, ..];

    public static long ReadVarInt(ref ReadOnlySpan<byte> from)
    {
        int length = 1 << (from[0] >> 6);
        long value = from[0] & 0x3F;
        for (int i = 1; i < length; i++)
        {
            value = (value << 8) | from[i];
        }

        from = from[length..];
        return value;
    }

    private static byte[] Message(byte[] fields, ReadOnlyMemory<byte>? body)
    {
        using var message = new MemoryStream();
        WriteFrame(message, Headers, fields);
        if (body is { IsEmpty: false } data)
        {
            WriteFrame(message, Data, data.Span);
        }

        return message.ToArray();
    }

    private static void WriteFrame(MemoryStream to, long type, ReadOnlySpan<byte> payload)
    {
        to.WriteByte((byte)type);

        // RFC 9000 section 16: a length in four bytes, whatever it is.
        int length = payload.Length;
        to.Write([(byte)(0x80 | (length >> 24)), (byte)(length >> 16), (byte)(length >> 8), (byte)length]);
        to.Write(payload);
    }

    private static void WriteLiteral(MemoryStream to, byte name, string value)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(value);
        Assert.IsLessThan(127, bytes.Length, "A longer value needs a longer prefix (RFC 9204 section 4.1.1).");
        to.Write([(byte)(NamedLiteral | name), (byte)bytes.Length]);
        to.Write(bytes);
    }
}
