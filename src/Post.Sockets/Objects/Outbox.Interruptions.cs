using Post.Sockets.Protocol;

namespace Post.Sockets.Objects;

/// <content>What becomes of sent objects when the connection is lost, and when there is another one.</content>
internal sealed partial class Outbox
{
    /// <summary>The connection is lost. What has no end waits for the next one, and goes over it from its beginning, or from where the receiver has it.</summary>
    public void OnInterrupted()
    {
        _admission.OnInterrupted(_objects.Values);
        foreach (var item in _objects.Values.OrderBy(static item => item.Id).ToArray())
        {
            if (item.IsEnded)
            {
                // With an antecedent whose source can be read once only.
                continue;
            }

            ReleaseCharge(item);

            OutboundAntecedents.WaitAnew(item);
            if (!item.IsInGrace)
            {
                _restarts.StartAnew(item);
            }
        }
    }

    /// <summary>Whether the peer can hold what it says: each object was given out, and so much of it has gone.</summary>
    public PostErrorCode Check(HeldObjects held)
    {
        foreach (var (id, position) in held.All)
        {
            if (id >= NextId)
            {
                return PostErrorCode.IdError;
            }

            // Where a durable object begins is for the receiver to say, and what says so may have got lost.
            if (TryFind(id, out var item)
                && (position > (item.IsDurable ? item.Length ?? PostInteger.MaxValue : item.Handed) || !item.IsKnownToReceiver))
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
            _admission.Hold(item);
            _scheduler.GoOn(item.Entry);
            if (!item.Transmission.IsVoid)
            {
                item.Transmission.PayloadTaken = position;
                _scheduler.Add(item.Entry);
            }
        }
    }

    /// <summary>
    /// There is a connection again, and the peer has been told that everything below an id has ended. What has ended above it, the
    /// ABANDONs that the lost connection did not bring home among it, it is to be told now.
    /// </summary>
    public IEnumerable<IdRange> EndedFrom(long toldLowest)
    {
        var next = toldLowest;
        foreach (var id in _objects.Keys.Order())
        {
            if (id > next)
            {
                yield return new IdRange(next, id - 1);
            }

            next = Math.Max(next, id + 1);
        }

        if (NextId > next)
        {
            yield return new IdRange(next, NextId - 1);
        }
    }
}
