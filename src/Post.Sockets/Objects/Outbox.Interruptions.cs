using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What becomes of sent objects when the connection is lost, and when there is another one.</content>
internal sealed partial class Outbox
{
    /// <summary>The connection is lost. What has no end waits for the next one, and goes over it from its beginning.</summary>
    public void OnInterrupted()
    {
        core.Admission.OnInterrupted(_objects.Values);
        foreach (var item in _objects.Values.OrderBy(static item => item.Id).ToArray())
        {
            if (item.IsEnded)
            {
                // With an antecedent whose source can be read once only.
                continue;
            }

            ReleaseDatagram(item);

            OutboundAntecedents.WaitAnew(item);
            if (!item.IsInGrace)
            {
                core.Sender.Restarts.StartAnew(item);
            }
        }
    }

    /// <summary>
    /// There is a connection again, and the peer has been told that everything below an id has ended: what has ended above it, the
    /// ABANDONs that the lost connection did not bring home among it, it is told now.
    /// </summary>
    public void OnResumed(long toldLowest, PendingFrames frames)
    {
        var next = toldLowest;
        foreach (var id in _objects.Keys.Order())
        {
            if (id > next)
            {
                frames.AddAbandon(AbandonReason.Expired, new IdRange(next, id - 1));
            }

            next = Math.Max(next, id + 1);
        }

        if (_nextId > next)
        {
            frames.AddAbandon(AbandonReason.Expired, new IdRange(next, _nextId - 1));
        }
    }
}
