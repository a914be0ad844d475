using Post.Sockets;

namespace Post.Quic.DependencyInjection;

/// <summary>What is wrong with the options of associations, if anything.</summary>
internal static class AssociationCheck
{
    /// <param name="make">Makes the options; what a single property refuses, it refuses here.</param>
    /// <param name="failures">Takes what is wrong, with what to do.</param>
    public static void Run(Func<AssociationOptions> make, List<string> failures)
    {
        try
        {
            make().Validate();
        }
        catch (ArgumentException exception)
        {
            failures.Add("Association: " + exception.Message);
        }
    }
}
