using Post.Sockets.Transport;
namespace Post.Sockets.Testing;

/// <summary>A round trip over a path that is new, or back: if it comes through, both ends may use the path.</summary>
internal sealed class InMemoryPathValidation(InMemoryPath path) : ClockEntry
{
    public void Schedule() => path.Network.Clock.Schedule(this, path.Network.Clock.NowTicks + path.RoundTripTicks);

    public override void Fire()
    {
        lock (path.Network.Gate)
        {
            if (path.IsUp)
            {
                Validate(path.AtClient);
                Validate(path.AtServer);
            }
        }
    }

    private void Validate(PathEnd end)
    {
        if (end.State is not (PostPathState.Validating or PostPathState.Failed))
        {
            return;
        }

        InMemoryConnection owner = end.Owner;
        bool inUse = ReferenceEquals(owner.MainPath, end) || owner.Has(TransportCapabilities.Multipath);
        end.State = inUse ? PostPathState.Active : PostPathState.Standby;
        end.OnRoundTrip(path.RoundTripTicks);
        owner.ReportPath(end, PostPathChange.Validated);
        owner.Sender.Pump();
    }
}
