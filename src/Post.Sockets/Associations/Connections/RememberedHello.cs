using Post.Sockets.Associations.Ownership;
using Post.Sockets.Diagnostics;
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

    public static void Keep(AssociationState state, HelloFrame hello)
    {
        if (KeyOf(state.Association) is not { } key)
        {
            return;
        }

        // What belongs to one association alone is not carried over to the next.
        var lasting = hello with { AssociationId = UInt128.Zero, Resumption = 0, LowestId = 0, Held = HeldObjects.None };
        Span<byte> frame = stackalloc byte[HelloFrame.MaxLength];
        byte[] kept = [.. frame[..lasting.Write(frame)]];
        state.Queue(() =>
        {
            try
            {
                state.Association.Local.Sessions!.Put(key, kept, state.Clock.Provider.GetUtcNow() + Lifetime);
            }
            catch (Exception exception)
            {
                state.Log.SessionCacheFailed(exception);
            }
        });
    }

    public static HelloFrame? Take(AssociationState state) =>
        KeyOf(state.Association) is { } key
        && TryTake(state, key, out var frame)
        && PostInteger.TryRead(frame.Span, out var type, out var typeLength) && type == ControlFrameType.Hello
        && PostInteger.TryRead(frame.Span[typeLength..], out _, out var lengthLength)
        && HelloFrame.TryParse(frame.Span[(typeLength + lengthLength)..], out var hello)
            ? hello
            : null;

    // The cache is the application's code: what it throws costs what was remembered, and no association.
    private static bool TryTake(AssociationState state, string key, out ReadOnlyMemory<byte> frame)
    {
        try
        {
            return state.Association.Local.Sessions!.TryTake(key, out frame);
        }
        catch (Exception exception)
        {
            state.Log.SessionCacheFailed(exception);
            frame = default;
            return false;
        }
    }

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
