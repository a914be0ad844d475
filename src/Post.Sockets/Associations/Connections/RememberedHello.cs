using Post.Sockets.Protocol;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// What a Remote said in its HELLO, kept beside the sessions: an association that begins with early data goes by it until the
/// Remote says HELLO anew (docs/protocol.md section 4.1). What has changed meanwhile costs an object its rejection, nothing more.
/// </summary>
internal static class RememberedHello
{
    /// <summary>No session that it could serve lives longer (RFC 8446 section 4.6.1).</summary>
    private static readonly TimeSpan Lifetime = TimeSpan.FromDays(7);

    public static void Keep(Association association, HelloFrame hello, TimeProvider time)
    {
        if (KeyOf(association) is not { } key)
        {
            return;
        }

        // What belongs to one association alone is not carried over to the next.
        var lasting = hello with { AssociationId = UInt128.Zero, Resumption = 0, LowestId = 0 };
        Span<byte> frame = stackalloc byte[HelloFrame.MaxLength];
        association.Local.Sessions!.Put(key, frame[..lasting.Write(frame)].ToArray(), time.GetUtcNow() + Lifetime);
    }

    public static HelloFrame? Take(Association association) =>
        KeyOf(association) is { } key
        && association.Local.Sessions!.TryTake(key, out var frame)
        && PostInteger.TryRead(frame.Span, out var type, out var typeLength) && type == FrameType.Hello
        && PostInteger.TryRead(frame.Span[typeLength..], out _, out var lengthLength)
        && HelloFrame.TryParse(frame.Span[(typeLength + lengthLength)..], out var hello)
            ? hello
            : null;

    private static string? KeyOf(Association association)
    {
        if (!association.Options.AllowEarlyData || association is not { Local.Sessions: not null, Remote: { } remote })
        {
            return null;
        }

        var trust = remote.Trust;
        return $"hello|{association.TransportName}|{remote}|{trust.Proof}|{trust.Name}|{string.Join(',', trust.PinnedKeys)}|{association.Local.Key}";
    }
}
