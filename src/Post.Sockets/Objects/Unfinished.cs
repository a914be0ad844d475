using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <summary>
/// Which of the objects that had not arrived whole are kept when their connection is lost, and what the peer is told of them. Pure: it decides,
/// and <see cref="Inbox"/> acts.
/// </summary>
internal static class Unfinished
{
    /// <summary>
    /// Tells those that are kept, and can be told, from those that are not. What the application has it keeps in any case.
    /// </summary>
    /// <param name="objects">All that are not whole.</param>
    /// <param name="places">How many the peer can be told of; none where it does not understand.</param>
    /// <param name="room">Bytes that may be held for them.</param>
    public static HashSet<InboundObject> Choose(IEnumerable<InboundObject> objects, int places, long room)
    {
        var kept = new HashSet<InboundObject>();
        foreach (var item in Rank(objects).Take(places))
        {
            if (item.UnfinishedBytes <= room)
            {
                room -= item.UnfinishedBytes;
                kept.Add(item);
            }
        }

        return kept;
    }

    /// <summary>What the peer is told when there is another connection.</summary>
    public static HeldObjects Tell(IEnumerable<InboundObject> objects) => HeldObjects.Of(
        Rank(objects).Take(ProtocolLimits.MaxHeldObjects).Select(static item => new HeldObject(item.Id, item.Received)));

    // What the application has first, then that of which most is here. One that waits for the application's word is asked about again.
    private static IEnumerable<InboundObject> Rank(IEnumerable<InboundObject> objects) => objects
        .Where(static item => !item.Start.IsOpen)
        .OrderByDescending(static item => item.Custody == Custody.Taken)
        .ThenByDescending(static item => item.Received);
}
