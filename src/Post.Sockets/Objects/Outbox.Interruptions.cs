using Post.Sockets.Associations.Connections;
using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What becomes of sent objects when the connection is lost, and when there is another one.</content>
internal sealed partial class Outbox
{
    /// <summary>The connection is lost. What has no end waits for the next one, and goes over it from its beginning, or from where the receiver has it.</summary>
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

    /// <summary>Whether the peer can hold what it says: each object was given out, and so much of it has gone.</summary>
    public PostErrorCode Check(HeldObjects held)
    {
        foreach (var (id, position) in held.All)
        {
            if (id >= _nextId)
            {
                return PostErrorCode.IdError;
            }

            // Where a durable object begins is for the receiver to say, and what says so may have got lost.
            if (TryFind(id, out var item)
                && (position > (item.IsDurable ? item.Length ?? PostInteger.MaxValue : item.Handed) || !(item.Transit.IsVisible || item.WasVisible)))
            {
                return PostErrorCode.OffsetError;
            }
        }

        return PostErrorCode.NoError;
    }

    /// <summary>
    /// The peer goes on with the association, and holds part of some objects: those go on where they are. They are under way already, so they
    /// wait for nothing; and what they occupy there is theirs before anything else is begun.
    /// </summary>
    public void GoOn(HeldObjects held)
    {
        foreach (var (id, position) in held.All)
        {
            // In grace, or ended meanwhile: the peer is told by ABANDON, or has said all that counts.
            if (!TryFind(id, out var item) || item.IsInGrace)
            {
                continue;
            }

            item.Start.GoOn(position);
            if (item.IsDurable)
            {
                item.BeginAt(position);
            }

            item.NeedsStream = true;

            // An antecedent that is handed over later must not schedule it while it is being written.
            item.Unsent = 0;
            core.Admission.Hold(item);
            core.Scheduler.GoOn(item.Entry);
            if (!item.Transit.IsVoid)
            {
                item.Transit.PayloadTaken = position;
                core.Scheduler.Add(item.Entry);
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
