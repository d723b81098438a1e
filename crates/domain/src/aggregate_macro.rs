//! How does a record take part in cqrs-es? Its commands as one enum, handed over to their pure decisions.

/// Declares an aggregate's command enum and its `cqrs_es::Aggregate`: deciding is the command's own function, `handle` only
/// shows it the world with this aggregate in it and hands the events on.
macro_rules! aggregate {
    ($(#[$doc:meta])+ $command:ident of $aggregate:ident, $event:ty { $($(#[$vdoc:meta])+ $variant:ident($payload:ty),)+ }) => {
        $(#[$doc])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $command {
            $($(#[$vdoc])+ $variant($payload),)+
        }

        $(impl From<$payload> for $command {
            fn from(command: $payload) -> Self {
                Self::$variant(command)
            }
        })+

        impl crate::command::Command for $command {
            fn target(&self) -> praxis_events::ids::StreamId {
                match self { $(Self::$variant(command) => command.target(),)+ }
            }

            fn streams(&self, world: &crate::world::World) -> Vec<praxis_events::ids::StreamId> {
                match self { $(Self::$variant(command) => command.streams(world),)+ }
            }

            fn decide(
                &self,
                world: &crate::world::World,
                ctx: &crate::context::Context,
            ) -> Result<crate::command::Decision, crate::refusal::Refused> {
                match self { $(Self::$variant(command) => command.decide(world, ctx),)+ }
            }
        }

        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = praxis_events::ids::StreamType::$aggregate.name();
            type Command = $command;
            type Event = $event;
            type Error = crate::refusal::Refused;
            type Services = crate::situation::Situation;

            async fn handle(
                &mut self,
                command: Self::Command,
                situation: &Self::Services,
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), Self::Error> {
                let target = crate::command::Command::target(&command);
                let version = u64::from(*self != Self::default());
                let world = situation.world.clone().with(target, self.clone(), version);
                let decision = crate::command::Command::decide(&command, &world, &situation.ctx)?;
                for (_, events) in decision.writes {
                    for event in events {
                        if let praxis_events::event::Event::$aggregate(event) = event {
                            sink.write(event, self).await;
                        }
                    }
                }
                Ok(())
            }

            fn apply(&mut self, event: Self::Event) {
                self.fold(&event);
            }
        }
    };
}

pub(crate) use aggregate;
